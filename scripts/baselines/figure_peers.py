"""Step: distortion of every attack of the comparison against its cost."""

import pandas as pd

from intriguing.figures.baselines import baselines_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        figure = baselines_figure(pd.read_csv(snakemake.input.table))
        save_figure(figure, snakemake.output.png)
