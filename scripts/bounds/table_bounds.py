"""Step: Lipschitz constants of whole networks, bounded from both sides."""

import pandas as pd

from intriguing.bounds.table import CONSTANT_KINDS, constant_entries
from intriguing.figures.bounds import waterfall_figure
from intriguing.tables.tidy import frame_of
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        networks = dict(
            zip(names, map(read_json, snakemake.input.measured), strict=True)
        )
        table = frame_of(constant_entries(networks))
        path, title = snakemake.output.bounds, "Lipschitz constants of networks"
        write_table(table, path, title, CONSTANT_KINDS)
        save_figure(waterfall_figure(pd.read_csv(path)), snakemake.output.png)
