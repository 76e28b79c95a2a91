"""Step: Table 1, errors and mean distortions of the networks."""

import json
from pathlib import Path

import pandas as pd

from intriguing.stats.intervals import mean_interval
from intriguing.tables.rates import distortions, error_cells
from intriguing.tables.tidy import tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table


def run(
    networks: list[tuple[str, int]],
    errors: list[str],
    records: list[str],
    published: str,
) -> pd.DataFrame:
    """Return the tidy table ``models``.

    Args:
        networks: Name and seed of each network, in the order of the two lists below.
        errors: Files with the wrong and all images of each set of digits.
        records: Files with a row for each attacked image.
        published: The paper's numbers.
    """
    cells = {}
    for model in dict.fromkeys(name for name, _ in networks):
        own = [i for i, (name, _) in enumerate(networks) if name == model]
        counts = [json.loads(Path(errors[i]).read_text()) for i in own]
        found = distortions([pd.read_parquet(records[i]) for i in own])
        cells |= error_cells(model, counts)
        cells[model, "distortion"] = mean_interval(found)
    return tidy(cells, read_published(published), "models")


if __name__ == "__main__":
    files = snakemake.input
    networks = [tuple(network) for network in snakemake.params.settings["networks"]]
    with step_log(snakemake, threads=None):
        table = run(networks, files.errors, files.records, files.published)
        write_table(table, snakemake.output, "Table 1: networks")
