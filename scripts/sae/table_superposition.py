"""Step: what adversarial training does to superposition, by the width of the layers."""

import pandas as pd

from intriguing.figures.superposition import superposition_figure
from intriguing.sae.superposition import KINDS, superposition_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        records = pd.concat(frames, ignore_index=True)
        table = frame_of(superposition_entries(records))
        title = "Adversarial training and superposition"
        write_table(table, snakemake.output.superposition, title, KINDS)
        save_figure(superposition_figure(records), snakemake.output.png)
