"""Step: distance along the curve of each factor."""

import pandas as pd

from intriguing.figures.smoothness import curve_figure
from intriguing.smoothness.design import curves
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    how = snakemake.params.settings
    with step_log(snakemake):
        frames = map(pd.read_parquet, snakemake.input.measured)
        drawn = curves(how["images"], how["extremes"][1])
        figure = curve_figure(pd.concat(frames, ignore_index=True), drawn)
        save_figure(figure, snakemake.output.png)
