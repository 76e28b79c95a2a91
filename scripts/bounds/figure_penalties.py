"""Step: distances of networks trained with penalties, against errors and norms."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.bounds import penalties_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(paths: list[str]) -> Figure:
    """Return the figure, from the records of all methods."""
    return penalties_figure(pd.concat(map(pd.read_parquet, paths), ignore_index=True))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        save_figure(run(snakemake.input.records), snakemake.output.png)
