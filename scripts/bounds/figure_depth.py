"""Step: bounds of the Lipschitz constant against the number of hidden layers."""

import pandas as pd

from intriguing.figures.bounds import depth_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        figure = depth_figure(pd.read_csv(snakemake.input.table))
        save_figure(figure, snakemake.output.png)
