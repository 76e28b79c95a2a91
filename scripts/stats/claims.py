"""Step: the paper's claims, gathered, and the headline numbers."""

import json
from pathlib import Path

import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.tables.tidy import headline
from intriguing.workflow.files import read_json, write_text
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_claims


def run(claims: list[str], tables: list[str]) -> tuple[list[Claim], dict]:
    """Return the claims, and the numbers nested by table beside the verdicts.

    Args:
        claims: Files of the chapters' claims.
        tables: CSV files of the tables with headline numbers.
    """
    found = [Claim(**claim) for path in claims for claim in read_json(path)]
    nested = {Path(path).stem: headline(pd.read_csv(path)) for path in tables}
    verdicts = {claim.id: claim.verdict for claim in found}
    return found, {"tables": nested, "claims": verdicts}


if __name__ == "__main__":
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, threads=None):
        claims, metrics = run(files.claims, files.tables)
        write_claims(claims, output.claims, output.html)
        text = json.dumps(metrics, indent=2, sort_keys=True) + "\n"
        write_text(output.metrics, text)
