"""Step: transfer by what two networks have in common, and the claims on it."""

from pathlib import Path

import pandas as pd

from intriguing.stats.agreement import Claim, to_json
from intriguing.tables.html import claims_page
from intriguing.tables.row_names import FACTOR
from intriguing.tables.tidy import tidy
from intriguing.transfer.asymmetry import longer_transfers_further
from intriguing.transfer.decomposition import (
    Trait,
    data_costs_more,
    decomposition_cells,
    with_kinds,
)
from intriguing.workflow.files import write_text
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

AS_FOUND = f"{FACTOR}1"
"""Perturbations that are not lengthened."""


def run(
    pairs: pd.DataFrame,
    traits: dict[str, list[str]],
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
    settings, files, output = (
        snakemake.params.settings,
        snakemake.input,
        snakemake.output,
    )
    with step_log(snakemake, threads=None):
        pairs = pd.read_parquet(files.pairs)
        how = settings["traits"], settings["judged"]
        table, claims = run(pairs, *how, read_published(files.published))
        forms = {kind: output[kind] for kind in ("csv", "md", "tex", "html")}
        write_table(table, forms, "Transfer by what two networks have in common")
        write_text(Path(output.claims), to_json(claims))
        write_text(Path(output.claims_html), claims_page(claims))
