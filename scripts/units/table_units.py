"""Step: the table ``units``, and the claims on the paper's sentences."""

import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.tables.tidy import own_table
from intriguing.units.table import KINDS, against_rotations, unit_cells, unit_claims
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_claims, write_table


def run(
    measured: pd.DataFrame, networks: list[str]
) -> tuple[pd.DataFrame, list[Claim]]:
    """Return the tidy table and the claims.

    Args:
        measured: Selectivity of every basis of every layer of every network.
        networks: Those on which the paper's sentences are judged.
    """
    compared = against_rotations(measured)
    return own_table(unit_cells(compared)), unit_claims(compared, networks)


if __name__ == "__main__":
    settings, output = snakemake.params.settings, snakemake.output
    with step_log(snakemake, threads=None):
        measured = pd.concat(map(pd.read_parquet, snakemake.input.measured))
        table, claims = run(measured, settings["networks"])
        write_table(table, output.units, "Units and random directions", KINDS)
        write_claims(claims, output.claims, output.claims_html)
