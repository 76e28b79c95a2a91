"""Step: errors of every setting tried, on images held out of training."""

import json
from pathlib import Path

import pandas as pd

from intriguing.stats.intervals import rate_interval
from intriguing.tables.tidy import tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table


def run(names: list[str], errors: list[str], published: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy table ``tuning``.

    Args:
        names: Of the settings.
        errors: File of the wrong and all images of each.
        published: The paper's numbers; it has none for this table.
    """
    cells = {}
    for name, path in zip(names, errors, strict=True):
        for images, count in json.loads(Path(path).read_text()).items():
            column = f"{images}-error"
            cells[name, column] = rate_interval([count["wrong"]], [count["images"]])
    return tidy(cells, published, "tuning")


if __name__ == "__main__":
    names, files = snakemake.params.settings["names"], snakemake.input
    with step_log(snakemake, threads=None):
        table = run(names, files.errors, read_published(files.published))
        write_table(table, snakemake.output, "Settings tried, on held-out images")
