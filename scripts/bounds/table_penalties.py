"""Step: what a penalty on a bound buys at equal test error."""

import pandas as pd

from intriguing.bounds.table import PENALTY_KINDS, penalty_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(paths: list[str]) -> pd.DataFrame:
    """Return the tidy table ``penalties``, from the records of all methods."""
    records = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
    return frame_of(penalty_entries(records))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        table = run(snakemake.input.records)
        title = "Training with a penalty on a bound"
        write_table(table, snakemake.output.penalties, title, PENALTY_KINDS)
