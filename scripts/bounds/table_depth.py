"""Step: bounds of the Lipschitz constant by the number of hidden layers."""

import pandas as pd

from intriguing.bounds.table import DEPTH_KINDS, depth_entries
from intriguing.figures.bounds import depth_figure
from intriguing.tables.tidy import frame_of
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        table = frame_of(depth_entries(pd.concat(frames, ignore_index=True)))
        path, title = snakemake.output.depth, "Lipschitz constants by depth"
        write_table(table, path, title, DEPTH_KINDS)
        save_figure(depth_figure(pd.read_csv(path)), snakemake.output.png)
