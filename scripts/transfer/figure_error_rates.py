"""Step: a transfer table (Table 2 or 4) as a map of error rates."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.transfer import transfer_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(table: str, title: str) -> Figure:
    """Return the figure of a tidy table."""
    return transfer_figure(pd.read_csv(table), title)


if __name__ == "__main__":
    title = snakemake.params.settings["title"]
    with step_log(snakemake, threads=None):
        save_figure(run(snakemake.input.table, title), snakemake.output.png)
