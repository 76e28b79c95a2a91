"""Step: two measures of superposition against the strength of adversarial training."""

import pandas as pd

from intriguing.figures.superposition import superposition_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        records = pd.concat(map(pd.read_parquet, snakemake.input.records))
        save_figure(superposition_figure(records), snakemake.output.png)
