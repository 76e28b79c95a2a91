"""Step: the tables ``sae`` and ``sae-perturbations``."""

import pandas as pd

from intriguing.sae.table import KINDS, code_cells, perturbation_cells
from intriguing.tables.tidy import own_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, threads=None):
        qualities, changes = (
            pd.concat(map(pd.read_parquet, paths))
            for paths in (files.qualities, files.changes)
        )
        codes = own_table(code_cells(qualities, changes))
        write_table(codes, output.sae, "Sparse codes of hidden layers", KINDS)
        changed = own_table(perturbation_cells(changes))
        title = "Perturbations through sparse codes"
        write_table(changed, output.sae_perturbations, title, KINDS)
