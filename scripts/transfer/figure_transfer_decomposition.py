"""Step: transfer against amplification, by what two networks have in common."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.decomposition import decomposition_figure
from intriguing.transfer.decomposition import with_kinds
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(table: str, pairs: str, traits: dict[str, tuple[str, str]]) -> Figure:
    """Return the figure, given the files and the traits of each network."""
    kinds = with_kinds(pd.read_parquet(pairs), traits)
    return decomposition_figure(pd.read_csv(table), kinds)


if __name__ == "__main__":
    files, traits = snakemake.input, snakemake.params.settings["traits"]
    with step_log(snakemake, threads=None):
        save_figure(run(files.table, files.pairs, traits), snakemake.output.png)
