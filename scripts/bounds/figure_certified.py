"""Step: certified against attacked distance of every image."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.bounds import certified_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(records: dict[str, str]) -> Figure:
    """Return the figure.

    Args:
        records: File of each network's records.
    """
    return certified_figure({n: pd.read_parquet(path) for n, path in records.items()})


if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        figure = run(dict(zip(names, snakemake.input.records, strict=True)))
        save_figure(figure, snakemake.output.png)
