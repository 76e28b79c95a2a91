"""Step: Table 4 as a map of error rates."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.transfer import transfer_figure
from intriguing.workflow.drawing import draw
from intriguing.workflow.step import step_log


def run(table: str) -> Figure:
    """Return the figure of the tidy table ``cross-training-set``."""
    title = "Adversarial images across training sets (the paper's Table 4)"
    return transfer_figure(pd.read_csv(table), title)


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        figure = run(snakemake.input.table)
        draw(figure, Path(snakemake.output.png).with_suffix(""))
