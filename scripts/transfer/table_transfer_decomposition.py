"""Step: transfer by what two networks have in common, and the claims on it."""

import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.tables.row_names import FACTOR
from intriguing.tables.tidy import tidy
from intriguing.transfer.asymmetry import longer_transfers_further
from intriguing.transfer.decomposition import (
    Trait,
    data_costs_more,
    decomposition_cells,
    with_kinds,
)
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_claims, write_table

AS_FOUND = f"{FACTOR}1"
"""Perturbations that are not lengthened."""


def run(
    pairs: pd.DataFrame,
    traits: dict[str, tuple[str, str]],
    judged: str,
    published: pd.DataFrame,
) -> tuple[pd.DataFrame, list[Claim]]:
    """Return the tidy table ``transfer-decomposition``, and the claims.

    Args:
        pairs: How many images of each network fool each other one.
        traits: Architecture and split of each network.
        judged: Length of the perturbations at which data and architecture are judged.
        published: The paper's numbers; it has none for this table.
    """
    known = {name: Trait(*both) for name, both in traits.items()}
    sorted_pairs = with_kinds(pairs, known)
    lengths = list(pairs["length"].unique())
    table = tidy(
        decomposition_cells(sorted_pairs, lengths), published, "transfer-decomposition"
    )
    as_found = sorted_pairs[sorted_pairs["length"] == AS_FOUND]
    return table, [
        data_costs_more(sorted_pairs, judged),
        longer_transfers_further(as_found, known, published),
    ]


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    output = snakemake.output
    with step_log(snakemake, threads=None):
        pairs = pd.read_parquet(files.pairs)
        how = settings["traits"], settings["judged"]
        table, claims = run(pairs, *how, read_published(files.published))
        title = "Transfer by what two networks have in common"
        write_table(table, output.transfer_decomposition, title)
        write_claims(claims, output.claims, output.claims_html)
