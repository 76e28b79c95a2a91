"""Step: distribution of the smallest distortions of each network's images."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.distortions import distortion_figure
from intriguing.tables.rates import distortions
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.files import by_model
from intriguing.workflow.step import step_log


def run(records: dict[str, list[str]], table: str) -> Figure:
    """Return the figure; images that were not fooled are left out, as in Table 1.

    ``records`` has each network's files with a row for each attacked image, and
    ``table`` is Table 1 with the means.
    """
    pooled = {
        name: np.concatenate(distortions([pd.read_parquet(path) for path in paths]))
        for name, paths in records.items()
    }
    return distortion_figure(pooled, pd.read_csv(table))


if __name__ == "__main__":
    networks, files = snakemake.params.settings["networks"], snakemake.input
    with step_log(snakemake, threads=None):
        figure = run(by_model(networks, files.records), files.table)
        save_figure(figure, snakemake.output.png)
