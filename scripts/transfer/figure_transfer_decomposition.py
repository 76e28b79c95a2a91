"""Step: transfer against amplification, by what two networks have in common."""

import pandas as pd

from intriguing.figures.decomposition import decomposition_figure
from intriguing.transfer.decomposition import with_kinds
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    files, traits = snakemake.input, snakemake.params.settings["traits"]
    with step_log(snakemake, threads=None):
        kinds = with_kinds(pd.read_parquet(files.pairs), traits)
        figure = decomposition_figure(pd.read_csv(files.table), kinds)
        save_figure(figure, snakemake.output.png)
