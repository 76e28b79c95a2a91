"""Step: bounds of the Lipschitz constant by the number of hidden layers."""

import pandas as pd

from intriguing.bounds.table import DEPTH_KINDS, depth_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(paths: list[str]) -> pd.DataFrame:
    """Return the tidy table ``depth``, from the records of all depths."""
    records = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
    return frame_of(depth_entries(records))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        table = run(snakemake.input.records)
        title = "Lipschitz constants by depth"
        write_table(table, snakemake.output.depth, title, DEPTH_KINDS)
