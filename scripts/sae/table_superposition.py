"""Step: what adversarial training does to superposition, by the width of the layers."""

import pandas as pd

from intriguing.sae.superposition import KINDS, superposition_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        table = frame_of(superposition_entries(pd.concat(frames, ignore_index=True)))
        title = "Adversarial training and superposition"
        write_table(table, snakemake.output.superposition, title, KINDS)
