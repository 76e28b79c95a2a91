"""Step: certified against attacked distance of every image."""

import pandas as pd

from intriguing.figures.bounds import certified_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        figure = certified_figure(dict(zip(names, frames, strict=True)))
        save_figure(figure, snakemake.output.png)
