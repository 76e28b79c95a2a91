"""Step: selectivity on the way to a random rotation, and among random rotations."""

import pandas as pd

from intriguing.figures.units import path_figure, rotations_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    settings, output = snakemake.params.settings, snakemake.output
    with step_log(snakemake, threads=None):
        measured = pd.concat(map(pd.read_parquet, snakemake.input.measured))
        names = settings["names"]
        few = {name: names[name] for name in settings["on_path"]}
        save_figure(path_figure(measured, few), output.path_png)
        save_figure(rotations_figure(measured, names), output.rotations_png)
