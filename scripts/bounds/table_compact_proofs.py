"""Step: length and tightness of proofs of the Lipschitz constant."""

import pandas as pd

from intriguing.bounds.table import compact_entries, compact_kinds
from intriguing.figures.compact import compact_proofs_figure
from intriguing.tables.tidy import frame_of
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        frames = map(pd.read_parquet, snakemake.input.records)
        records = pd.concat(frames, ignore_index=True)
        table = frame_of(compact_entries(records))
        title, path = "Length and tightness of proofs", snakemake.output.compact_proofs
        write_table(table, path, title, compact_kinds(table))
        save_figure(compact_proofs_figure(records), snakemake.output.png)
