"""Step: selectivity on the way to a random rotation, and among random rotations."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.units import path_figure, rotations_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(
    measured: pd.DataFrame, names: Mapping[str, str], on_path: Sequence[str]
) -> tuple[Figure, Figure]:
    """Return both figures.

    Args:
        measured: Selectivity of every basis of every layer of every network.
        names: What the networks are called.
        on_path: The few whose path to a random rotation is shown.
    """
    few = {name: names[name] for name in on_path}
    return path_figure(measured, few), rotations_figure(measured, names)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        measured = pd.concat([pd.read_parquet(path) for path in files.measured])
        path, rotations = run(measured, settings["names"], settings["on_path"])
        save_figure(path, snakemake.output.path_png)
        save_figure(rotations, snakemake.output.rotations_png)
