"""Step: success, distortion and cost of every attack of the comparison."""

import pandas as pd

from intriguing.baselines.summary import KINDS, peers_table
from intriguing.figures.baselines import baselines_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    names = snakemake.params.settings["names"]
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        table = peers_table(dict(zip(names, frames, strict=True)))
        path = snakemake.output.peers
        write_table(table, path, "Attacks compared", KINDS)
        save_figure(baselines_figure(pd.read_csv(path)), snakemake.output.png)
