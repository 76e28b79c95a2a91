"""Step: what the product of norms exceeds a typical gradient by, factor by factor."""

import pandas as pd

from intriguing.figures.bounds import waterfall_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        figure = waterfall_figure(pd.read_csv(snakemake.input.table))
        save_figure(figure, snakemake.output.png)
