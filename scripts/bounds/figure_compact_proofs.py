"""Step: tightness of proofs of the Lipschitz constant against their length."""

import pandas as pd
from matplotlib.figure import Figure

from intriguing.figures.compact import compact_proofs_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log


def run(paths: list[str]) -> Figure:
    """Return the figure, from the records of all depths."""
    records = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
    return compact_proofs_figure(records)


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        save_figure(run(snakemake.input.records), snakemake.output.png)
