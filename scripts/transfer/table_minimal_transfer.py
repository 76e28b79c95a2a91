"""Step: transfer of minimal perturbations, beside that of the paper's method."""

import pandas as pd

from intriguing.tables.rates import transfer_cells
from intriguing.tables.tidy import own_table
from intriguing.transfer import minimal_norm
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_claims, write_table

if __name__ == "__main__":
    files, output = snakemake.input, snakemake.output
    settings = snakemake.params.settings
    networks, compared = settings["networks"], settings["compared"]
    with step_log(snakemake, threads=None):
        made, lbfgs = (pd.read_parquet(x) for x in (files.minimal, files.lbfgs))
        kept = [x[x["column"].isin(compared)] for x in (made, lbfgs)]
        pairs = minimal_norm.paired_hits(*kept)
        cells = transfer_cells(made, networks)
        cells |= minimal_norm.transfer_cells(pairs, compared)
        # Row by row, as the columns of a table come in the order of its cells.
        cells = {c: cells[c] for row in networks for c in cells if c[0] == row}
        title = "Transfer of minimal perturbations"
        write_table(own_table(cells), output.minimal_transfer, title)
        claim = minimal_norm.change_of_transfer(pairs)
        write_claims([claim], output.claims, output.claims_html)
