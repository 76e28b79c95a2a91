"""Step: transfer between networks when all perturbations have one length."""

import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.tables.tidy import own_table
from intriguing.transfer.equal_length import (
    equal_length_cells,
    strong_to_weak_findings,
)
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_claims, write_table


def run(pairs: pd.DataFrame, by_decay: list[str]) -> tuple[pd.DataFrame, list[Claim]]:
    """Return the tidy table ``equal-length``, and the findings.

    Args:
        pairs: As for `equal_length_cells`.
        by_decay: Linear networks, from the weakest decay to the strongest.
    """
    cells = equal_length_cells(pairs)
    return own_table(cells), strong_to_weak_findings(cells, by_decay)


if __name__ == "__main__":
    settings, output = snakemake.params.settings, snakemake.output
    with step_log(snakemake, threads=None):
        pairs = pd.read_parquet(snakemake.input.pairs)
        table, findings = run(pairs, settings["by_decay"])
        title = "Transfer between networks at equal lengths"
        write_table(table, output.equal_length, title)
        write_claims(findings, output.claims, output.claims_html)
