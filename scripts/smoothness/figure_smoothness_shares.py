"""Step: share of each factor in the differences between networks."""

import pandas as pd

from intriguing.figures.smoothness import share_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake):
        table = pd.read_csv(snakemake.input.table)
        save_figure(share_figure(table), snakemake.output.png)
