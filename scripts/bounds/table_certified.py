"""Step: certified distances of all networks, as shares of the attacked distances."""

import pandas as pd

from intriguing.bounds.table import CERTIFIED_KINDS, certified_cells
from intriguing.tables.tidy import tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table


def run(records: dict[str, str], published: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy table ``certified``.

    Args:
        records: File of each network's records.
        published: The paper's numbers; it has none of these.
    """
    cells = {}
    for name, path in records.items():
        cells |= certified_cells(name, pd.read_parquet(path))
    return tidy(cells, published, "certified", CERTIFIED_KINDS)


if __name__ == "__main__":
    names, files = snakemake.params.settings["networks"], snakemake.input
    with step_log(snakemake, threads=None):
        records = dict(zip(names, files.records, strict=True))
        table = run(records, read_published(files.published))
        title = "Certified distances"
        write_table(table, snakemake.output.certified, title, CERTIFIED_KINDS)
