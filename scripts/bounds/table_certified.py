"""Step: certified distances of all networks, as shares of the attacked distances."""

import pandas as pd

from intriguing.bounds.table import CERTIFIED_KINDS, certified_cells
from intriguing.tables.tidy import own_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(records: dict[str, str]) -> pd.DataFrame:
    """Return the tidy table ``certified``, given the file of each network's records."""
    cells = {}
    for name, path in records.items():
        cells |= certified_cells(name, pd.read_parquet(path))
    return own_table(cells)


if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        table = run(dict(zip(names, snakemake.input.records, strict=True)))
        title = "Certified distances"
        write_table(table, snakemake.output.certified, title, CERTIFIED_KINDS)
