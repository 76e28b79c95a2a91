"""Step: what a penalty on a bound buys at equal test error."""

import pandas as pd

from intriguing.bounds.table import PENALTY_KINDS, penalty_entries
from intriguing.figures.bounds import penalties_figure
from intriguing.tables.tidy import frame_of
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        records = pd.concat(frames, ignore_index=True)
        table = frame_of(penalty_entries(records))
        title = "Training with a penalty on a bound"
        write_table(table, snakemake.output.penalties, title, PENALTY_KINDS)
        save_figure(penalties_figure(records), snakemake.output.png)
