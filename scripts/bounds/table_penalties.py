"""Step: what a penalty on a bound buys at equal test error."""

import pandas as pd

from intriguing.bounds.table import PENALTY_KINDS, penalty_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        table = frame_of(penalty_entries(pd.concat(frames, ignore_index=True)))
        title = "Training with a penalty on a bound"
        write_table(table, snakemake.output.penalties, title, PENALTY_KINDS)
