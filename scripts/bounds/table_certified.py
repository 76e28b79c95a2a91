"""Step: certified distances of all networks beside attacked distances."""

import pandas as pd

from intriguing.bounds.table import CERTIFIED_KINDS, certified_table
from intriguing.figures.bounds import certified_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        records = dict(zip(names, frames, strict=True))
        place, title = snakemake.output.certified, "Certified distances"
        write_table(certified_table(records), place, title, CERTIFIED_KINDS)
        save_figure(certified_figure(records), snakemake.output.png)
