"""Step: norms of Jacobians presumed from moments, over those at test images."""

import pandas as pd

from intriguing.bounds.table import HEURISTIC_KINDS, heuristic_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        records = pd.concat(map(pd.read_parquet, snakemake.input.records))
        table = frame_of(heuristic_entries(records))
        title = "Norms of gradients presumed from moments"
        write_table(table, snakemake.output.heuristics, title, HEURISTIC_KINDS)
