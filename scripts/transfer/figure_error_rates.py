"""Step: a transfer table (Table 2 or 4) as a map of error rates."""

import pandas as pd

from intriguing.figures.transfer import transfer_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        table, title = snakemake.input.table, snakemake.params.settings["title"]
        save_figure(transfer_figure(pd.read_csv(table), title), snakemake.output.png)
