"""Step: the table ``units``, and the claims on the paper's sentences."""

import pandas as pd

from intriguing.figures.units import path_figure, rotations_figure
from intriguing.tables.tidy import own_table
from intriguing.units.table import KINDS, against_rotations, unit_cells, unit_claims
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_claims, write_table

if __name__ == "__main__":
    settings, output = snakemake.params.settings, snakemake.output
    with step_log(snakemake, threads=None):
        measured = pd.concat(map(pd.read_parquet, snakemake.input.measured))
        networks, names = settings["networks"], settings["names"]
        compared = against_rotations(measured)
        table, claims = own_table(unit_cells(compared)), unit_claims(compared, networks)
        write_table(table, output.units, "Units and random directions", KINDS)
        write_claims(claims, output.claims, output.claims_html)
        few = {name: names[name] for name in settings["on_path"]}
        save_figure(path_figure(measured, few), output.path_png)
        save_figure(rotations_figure(measured, names), output.rotations_png)
