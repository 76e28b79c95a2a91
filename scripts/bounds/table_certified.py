"""Step: certified distances of all networks, as shares of the attacked distances."""

import pandas as pd

from intriguing.bounds.table import CERTIFIED_KINDS, certified_cells
from intriguing.tables.tidy import own_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        cells = {}
        for name, path in zip(names, snakemake.input.records, strict=True):
            cells |= certified_cells(name, pd.read_parquet(path))
        place, title = snakemake.output.certified, "Certified distances"
        write_table(own_table(cells), place, title, CERTIFIED_KINDS)
