"""Step: bounds of the Lipschitz constant against the number of hidden layers."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.bounds import depth_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(table: str) -> Figure:
    """Return the figure, from the tidy table ``depth``."""
    return depth_figure(pd.read_csv(table))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        save_figure(run(snakemake.input.table), snakemake.output.png)
