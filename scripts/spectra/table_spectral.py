"""Step: Table 5 for the networks of the run, layer by layer."""

import json
from pathlib import Path

import pandas as pd

from intriguing.spectra.table import (
    COLUMNS,
    PAPER,
    cells_in_the_papers_columns,
    published_layers,
    spectral_cells,
)
from intriguing.tables.tidy import Kinds, tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

KINDS: Kinds = dict.fromkeys((*COLUMNS, *PAPER), "number")


def run(
    networks: list[tuple[str, int]], files: list[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Return the tidy table ``spectral``.

    Args:
        networks: Name and seed of each network, in the order of the files.
        files: What the step ``spectra`` says of each.
        published: The paper's numbers.
    """
    cells = {}
    for model in dict.fromkeys(name for name, _ in networks):
        own = [path for (n, _), path in zip(networks, files, strict=True) if n == model]
        found = [json.loads(Path(path).read_text()) for path in own]
        cells |= spectral_cells(model, found)
    cells |= cells_in_the_papers_columns(cells)
    table = tidy(cells, published_layers(published), "spectral", kinds=KINDS)
    exact = table["low"] == table["high"]
    return table.assign(
        low=table["low"].mask(exact), high=table["high"].mask(exact), n=pd.NA
    ).astype({"n": "Int64"})


if __name__ == "__main__":
    files = snakemake.input
    networks = [tuple(network) for network in snakemake.params.settings["networks"]]
    with step_log(snakemake, threads=None):
        table = run(networks, files.measured, read_published(files.published))
        title = "Table 5: Lipschitz constants of layers"
        write_table(table, snakemake.output, title, KINDS)
