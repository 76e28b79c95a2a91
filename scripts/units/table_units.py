"""Step: the table ``units``, and the claims on the paper's sentences."""

import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.tables.tidy import tidy
from intriguing.units.table import KINDS, against_rotations, unit_cells, unit_claims
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_claims, write_table


def run(
    measured: pd.DataFrame, networks: list[str], published: pd.DataFrame
) -> tuple[pd.DataFrame, list[Claim]]:
    """Return the tidy table and the claims.

    Args:
        measured: Selectivity of every basis of every layer of every network.
        networks: Those on which the paper's sentences are judged.
        published: The paper's numbers; it has none for this table.
    """
    compared = against_rotations(measured)
    table = tidy(unit_cells(compared), published, "units", KINDS)
    return table, unit_claims(compared, networks)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    output = snakemake.output
    with step_log(snakemake, threads=None):
        measured = pd.concat([pd.read_parquet(path) for path in files.measured])
        published = read_published(files.published)
        table, claims = run(measured, settings["networks"], published)
        write_table(table, output.units, "Units and random directions", KINDS)
        write_claims(claims, output.claims, output.claims_html)
