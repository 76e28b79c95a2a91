"""Step: transfer between networks when all perturbations have one length."""

import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.tables.tidy import tidy
from intriguing.transfer.equal_length import (
    equal_length_cells,
    strong_to_weak_findings,
)
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_claims, write_table


def run(
    pairs: pd.DataFrame, by_decay: list[str], published: pd.DataFrame
) -> tuple[pd.DataFrame, list[Claim]]:
    """Return the tidy table ``equal-length``, and the findings.

    Args:
        pairs: As for `equal_length_cells`.
        by_decay: Linear networks, from the weakest decay to the strongest.
        published: The paper's numbers.
    """
    cells = equal_length_cells(pairs)
    findings = strong_to_weak_findings(cells, by_decay)
    return tidy(cells, published, "equal-length"), findings


if __name__ == "__main__":
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, threads=None):
        pairs, published = pd.read_parquet(files.pairs), read_published(files.published)
        by_decay = snakemake.params.settings["by_decay"]
        table, findings = run(pairs, by_decay, published)
        title = "Transfer between networks at equal lengths"
        write_table(table, output.equal_length, title)
        write_claims(findings, output.claims, output.claims_html)
