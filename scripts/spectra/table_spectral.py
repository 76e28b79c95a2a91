"""Step: Table 5 for the networks of the run, layer by layer."""

import pandas as pd

from intriguing.spectra.table import (
    COLUMNS,
    PAPER,
    cells_in_the_papers_columns,
    provenance_note,
    published_layers,
    spectral_cells,
)
from intriguing.tables.tidy import Kinds, tidy
from intriguing.workflow.files import by_model, read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

KINDS: Kinds = dict.fromkeys((*COLUMNS, *PAPER), "number")


def run(measured: dict[str, list[str]], published: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy table ``spectral``.

    Args:
        measured: Files of the step ``spectra`` for each network.
        published: The paper's numbers.
    """
    cells = {}
    for model, paths in measured.items():
        cells |= spectral_cells(model, [read_json(path) for path in paths])
    cells |= cells_in_the_papers_columns(cells)
    table = tidy(cells, published_layers(published), "spectral", kinds=KINDS)
    exact = table["low"] == table["high"]
    return table.assign(
        low=table["low"].mask(exact), high=table["high"].mask(exact), n=pd.NA
    ).astype({"n": "Int64"})


if __name__ == "__main__":
    networks, files = snakemake.params.settings["networks"], snakemake.input
    with step_log(snakemake, threads=None):
        measured = by_model(networks, files.measured)
        table = run(measured, read_published(files.published))
        title = "Table 5: Lipschitz constants of layers"
        note = provenance_note(table)
        write_table(table, snakemake.output.spectral, title, KINDS, note)
