"""Step: what adversarial training does to superposition, by the width of the layers."""

import pandas as pd

from intriguing.sae.superposition import KINDS, superposition_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(paths: list[str]) -> pd.DataFrame:
    """Return the tidy table ``superposition``, from the records of all widths."""
    records = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
    return frame_of(superposition_entries(records))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        table = run(snakemake.input.records)
        title = "Adversarial training and superposition"
        write_table(table, snakemake.output.superposition, title, KINDS)
