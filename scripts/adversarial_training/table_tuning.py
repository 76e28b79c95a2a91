"""Step: errors of every setting tried, on images held out of training."""

import pandas as pd

from intriguing.tables.rates import error_rate
from intriguing.tables.tidy import tidy
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table


def run(errors: dict[str, str], published: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy table ``tuning``, given the file of errors of each setting."""
    cells = {
        (name, f"{images}-error"): error_rate([counts])
        for name, path in errors.items()
        for images, counts in read_json(path).items()
    }
    return tidy(cells, published, "tuning")


if __name__ == "__main__":
    names, files = snakemake.params.settings["names"], snakemake.input
    with step_log(snakemake, threads=None):
        errors = dict(zip(names, files.errors, strict=True))
        table = run(errors, read_published(files.published))
        title = "Settings tried, on held-out images"
        write_table(table, snakemake.output.tuning, title)
