"""Step: transfer by what two networks have in common, and the claims on it."""

import pandas as pd

from intriguing.figures.decomposition import decomposition_figure
from intriguing.stats.agreement import Claim
from intriguing.tables.row_names import FACTOR
from intriguing.tables.tidy import own_table
from intriguing.transfer.asymmetry import longer_transfers_further
from intriguing.transfer.decomposition import (
    data_costs_more,
    decomposition_cells,
    with_kinds,
)
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_claims, write_table

AS_FOUND = f"{FACTOR}1"
"""Perturbations that are not lengthened."""


def run(
    pairs: pd.DataFrame, settings: dict, published: pd.DataFrame
) -> tuple[pd.DataFrame, list[Claim]]:
    """Return the tidy table ``transfer-decomposition``, and the claims.

    ``settings`` have the ``traits`` of each network, its architecture and its split,
    and the length at which the two are ``judged``.
    """
    traits, lengths = settings["traits"], list(pairs["length"].unique())
    pairs = with_kinds(pairs, traits)
    cells = decomposition_cells(pairs, lengths)
    as_found = pairs[pairs["length"] == AS_FOUND]
    return own_table(cells), [
        data_costs_more(pairs, settings["judged"]),
        longer_transfers_further(as_found, traits, published),
    ]


if __name__ == "__main__":
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, threads=None):
        pairs, published = pd.read_parquet(files.pairs), read_published(files.published)
        settings, path = snakemake.params.settings, output.transfer_decomposition
        table, claims = run(pairs, settings, published)
        title = "Transfer by what two networks have in common"
        write_table(table, path, title)
        write_claims(claims, output.claims, output.claims_html)
        kinds = with_kinds(pairs, settings["traits"])
        save_figure(decomposition_figure(pd.read_csv(path), kinds), output.png)
