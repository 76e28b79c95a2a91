"""Step: what each factor does to the distances, and where more data would lead."""

import pandas as pd
from safetensors.torch import load_file

from intriguing.figures.smoothness import curve_figure, share_figure
from intriguing.smoothness.design import curves
from intriguing.smoothness.measures import ceilings
from intriguing.smoothness.table import KINDS, smoothness_cells
from intriguing.tables.tidy import own_table
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    files, how = snakemake.input, snakemake.params.settings
    output = snakemake.output
    with step_log(snakemake, threads=how["threads"]):
        measured = pd.concat(map(pd.read_parquet, files.measured), ignore_index=True)
        planted = pd.read_parquet(files.planted)
        sets = load_file(files.test), load_file(files.train)
        images, extremes = how["images"], how["extremes"]
        ceiling = ceilings(*sets, how["attacked"], images)
        cells = smoothness_cells(measured, planted, images, extremes, ceiling)
        title = "Local smoothness: data, architecture and training"
        write_table(own_table(cells), output.smoothness, title, KINDS)
        shares = share_figure(pd.read_csv(output.smoothness))
        save_figure(shares, output.shares_png)
        drawn = curves(images, extremes[1])
        save_figure(curve_figure(measured, drawn), output.curves_png)
