"""Step: errors of every setting tried, on images held out of training."""

import pandas as pd

from intriguing.tables.rates import error_rate
from intriguing.tables.tidy import own_table
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(errors: dict[str, str]) -> pd.DataFrame:
    """Return the tidy table ``tuning``, given the file of errors of each setting."""
    cells = {
        (name, f"{images}-error"): error_rate([counts])
        for name, path in errors.items()
        for images, counts in read_json(path).items()
    }
    return own_table(cells)


if __name__ == "__main__":
    names = snakemake.params.settings["names"]
    with step_log(snakemake, threads=None):
        table = run(dict(zip(names, snakemake.input.errors, strict=True)))
        title = "Settings tried, on held-out images"
        write_table(table, snakemake.output.tuning, title)
