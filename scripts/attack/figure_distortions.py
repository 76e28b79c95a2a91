"""Step: how the smallest distortions of each network's images are spread."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.distortions import distortion_figure
from intriguing.tables.rates import distortions
from intriguing.workflow.drawing import draw
from intriguing.workflow.step import step_log


def run(networks: list[tuple[str, int]], records: list[str], table: str) -> Figure:
    """Return the figure; images that were not fooled are left out, as in Table 1.

    Args:
        networks: Name and seed of each network, in the order of ``records``.
        records: Files with a row for each attacked image.
        table: Table 1 with the means.
    """
    frames: dict[str, list[pd.DataFrame]] = {}
    for (name, _), path in zip(networks, records, strict=True):
        frames.setdefault(name, []).append(pd.read_parquet(path))
    pooled = {name: np.concatenate(distortions(own)) for name, own in frames.items()}
    return distortion_figure(pooled, pd.read_csv(table))


if __name__ == "__main__":
    networks = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        figure = run(networks, snakemake.input.records, snakemake.input.table)
        draw(figure, Path(snakemake.output.png).with_suffix(""))
