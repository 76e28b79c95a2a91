"""Step: Table 3, errors and mean distortions of networks trained on splits."""

import json
from pathlib import Path

import pandas as pd

from intriguing.stats.intervals import mean_interval, rate_interval
from intriguing.tables.rates import distortions
from intriguing.tables.tidy import tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

COLUMNS = {"P1": "error-P1", "P2": "error-P2", "test": "test-error"}


def run(
    networks: list[tuple[str, int]], errors: dict, records: list[str], published: str
) -> pd.DataFrame:
    """Return the tidy table ``training-sets``.

    Args:
        networks: Name and seed of each network.
        errors: Wrong and all images of each set, for each seed of each network.
        records: Files with a row for each attacked test image, in the networks' order.
        published: The paper's numbers.
    """
    cells = {}
    for model in dict.fromkeys(name for name, _ in networks):
        for part, column in COLUMNS.items():
            counts = [seed[part] for seed in errors[model]]
            wrong = [count["wrong"] for count in counts]
            images = [count["images"] for count in counts]
            cells[model, column] = rate_interval(wrong, images)
        own = [i for i, (name, _) in enumerate(networks) if name == model]
        found = distortions([pd.read_parquet(records[i]) for i in own])
        cells[model, "distortion"] = mean_interval(found)
    return tidy(cells, read_published(published), "training-sets")


if __name__ == "__main__":
    files = snakemake.input
    networks = [tuple(network) for network in snakemake.params.settings["networks"]]
    with step_log(snakemake, threads=None):
        errors = json.loads(Path(files.errors).read_text())
        table = run(networks, errors, files.records, files.published)
        write_table(table, snakemake.output, "Table 3: networks trained on splits")
