"""Step: what the product of norms exceeds a typical gradient by, factor by factor."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.bounds import waterfall_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(table: str) -> Figure:
    """Return the figure.

    Args:
        table: Tidy table ``bounds``.
    """
    return waterfall_figure(pd.read_csv(table))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        save_figure(run(snakemake.input.table), snakemake.output.png)
