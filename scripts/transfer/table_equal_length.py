"""Step: transfer between networks when all perturbations have one length."""

import pandas as pd

from intriguing.tables.tidy import own_table
from intriguing.transfer.equal_length import equal_length_cells, strong_to_weak_findings
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_claims, write_table

if __name__ == "__main__":
    settings, output = snakemake.params.settings, snakemake.output
    with step_log(snakemake, threads=None):
        cells = equal_length_cells(pd.read_parquet(snakemake.input.pairs))
        title = "Transfer between networks at equal lengths"
        write_table(own_table(cells), output.equal_length, title)
        findings = strong_to_weak_findings(cells, settings["by_decay"])
        write_claims(findings, output.claims, output.claims_html)
