"""Step: tightness of proofs of the Lipschitz constant against their length."""

import pandas as pd

from intriguing.figures.compact import compact_proofs_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        figure = compact_proofs_figure(pd.concat(frames, ignore_index=True))
        save_figure(figure, snakemake.output.png)
