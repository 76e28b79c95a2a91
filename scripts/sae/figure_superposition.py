"""Step: two measures of superposition against the strength of adversarial training."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.superposition import superposition_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(paths: list[str]) -> Figure:
    """Return the figure, from the records of all widths."""
    return superposition_figure(pd.concat(map(pd.read_parquet, paths)))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        save_figure(run(snakemake.input.records), snakemake.output.png)
