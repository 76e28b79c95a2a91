"""Step: what is required of the attacks, and what the comparison measures."""

import pandas as pd

from intriguing.baselines.requirements import kinds_of, requirements_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

GROUPS = ("dense", "convolutional", "exact")

if __name__ == "__main__":
    names, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        groups = {
            group: dict(
                zip(names[group], map(pd.read_parquet, files[group]), strict=True)
            )
            for group in GROUPS
        }
        table = requirements_table(**groups)
        title = "Requirements on the attacks"
        write_table(table, snakemake.output.peers_requirements, title, kinds_of(table))
