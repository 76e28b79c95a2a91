"""Step: which reading of the paper its printed distortions support, as a figure."""

import pandas as pd

from intriguing.attack.readings import printed_distortions
from intriguing.figures.readings import readings_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published

if __name__ == "__main__":
    files = snakemake.input
    with step_log(snakemake):
        printed = printed_distortions(read_published(files.published))
        table, linear = pd.read_csv(files.table), snakemake.params.settings["linear"]
        save_figure(readings_figure(table, printed, linear), snakemake.output.png)
