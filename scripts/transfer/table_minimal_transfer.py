"""Step: transfer of minimal perturbations, beside that of the paper's method."""

import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.tables.rates import transfer_cells
from intriguing.tables.tidy import tidy
from intriguing.transfer import minimal_norm
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_claims, write_table


def run(
    networks: list[str],
    compared: list[str],
    minimal: pd.DataFrame,
    lbfgs: pd.DataFrame,
    published: pd.DataFrame,
) -> tuple[pd.DataFrame, Claim]:
    """Return the tidy table ``minimal-transfer``, and the claim.

    Args:
        networks: Rows of the table.
        compared: Networks between which the two methods are compared.
        minimal: Predictions for the minimal adversarial images.
        lbfgs: Predictions for the images of the paper's method, and for clean ones.
        published: The paper's numbers; it has none for this table.
    """
    kept = [x[x["column"].isin(compared)] for x in (minimal, lbfgs)]
    pairs = minimal_norm.paired_hits(*kept)
    cells, spreads = transfer_cells(minimal, networks)
    cells |= minimal_norm.transfer_cells(pairs, compared)
    # Row by row, as the columns of a table come in the order of its cells.
    cells = {c: cells[c] for row in networks for c in cells if c[0] == row}
    table = tidy(cells, published, "minimal-transfer", spreads)
    return table, minimal_norm.minimal_transfers_less(pairs)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    output = snakemake.output
    with step_log(snakemake, threads=None):
        table, claim = run(
            settings["networks"],
            settings["compared"],
            pd.read_parquet(files.minimal),
            pd.read_parquet(files.lbfgs),
            read_published(files.published),
        )
        title = "Transfer of minimal perturbations"
        write_table(table, output.minimal_transfer, title)
        write_claims([claim], output.claims, output.claims_html)
