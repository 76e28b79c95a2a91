"""Step: distortion of every attack of the comparison against its cost."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.baselines import baselines_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(table: str) -> Figure:
    """Return the figure of the tidy table ``peers``."""
    return baselines_figure(pd.read_csv(table))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        save_figure(run(snakemake.input.table), snakemake.output.png)
