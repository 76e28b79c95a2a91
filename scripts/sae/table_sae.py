"""Step: the tables ``sae`` and ``sae-perturbations``."""

import pandas as pd

from intriguing.sae.table import KINDS, code_cells, perturbation_cells
from intriguing.tables.tidy import own_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(
    qualities: pd.DataFrame, changes: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tidy tables.

    Args:
        qualities: Of every code of every layer of every network.
        changes: What every perturbation does to them.
    """
    codes = code_cells(qualities, changes)
    return own_table(codes), own_table(perturbation_cells(changes))


if __name__ == "__main__":
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, threads=None):
        qualities, changes = (
            pd.concat([pd.read_parquet(path) for path in paths])
            for paths in (files.qualities, files.changes)
        )
        codes, changed = run(qualities, changes)
        write_table(codes, output.sae, "Sparse codes of hidden layers", KINDS)
        title = "Perturbations through sparse codes"
        write_table(changed, output.sae_perturbations, title, KINDS)
