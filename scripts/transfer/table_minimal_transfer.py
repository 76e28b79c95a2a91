"""Step: transfer of minimal perturbations, beside that of the paper's method."""

import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.tables.rates import transfer_cells
from intriguing.tables.tidy import own_table
from intriguing.transfer import minimal_norm
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_claims, write_table


def run(
    settings: dict, minimal: pd.DataFrame, lbfgs: pd.DataFrame
) -> tuple[pd.DataFrame, Claim]:
    """Return the tidy table ``minimal-transfer``, and the claim.

    ``settings`` have the ``networks`` of the rows, and those ``compared`` between the
    two methods. The predictions are for the images of each; ``lbfgs`` has the clean
    images too.
    """
    networks, compared = settings["networks"], settings["compared"]
    kept = [x[x["column"].isin(compared)] for x in (minimal, lbfgs)]
    pairs = minimal_norm.paired_hits(*kept)
    cells = transfer_cells(minimal, networks)
    cells |= minimal_norm.transfer_cells(pairs, compared)
    # Row by row, as the columns of a table come in the order of its cells.
    cells = {c: cells[c] for row in networks for c in cells if c[0] == row}
    return own_table(cells), minimal_norm.change_of_transfer(pairs)


if __name__ == "__main__":
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, threads=None):
        made, lbfgs = (pd.read_parquet(x) for x in (files.minimal, files.lbfgs))
        table, claim = run(snakemake.params.settings, made, lbfgs)
        title = "Transfer of minimal perturbations"
        write_table(table, output.minimal_transfer, title)
        write_claims([claim], output.claims, output.claims_html)
