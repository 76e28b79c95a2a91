"""Step: Table 3, errors and mean distortions of networks trained on splits."""

import pandas as pd

from intriguing.tables.rates import distortion_cell, distortions, error_rate
from intriguing.tables.tidy import tidy
from intriguing.workflow.files import by_model, read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

COLUMNS = {"P1": "error-P1", "P2": "error-P2", "test": "test-error"}


def run(
    errors: dict, records: dict[str, list[str]], published: pd.DataFrame
) -> pd.DataFrame:
    """Return the tidy table ``training-sets``.

    Args:
        errors: Misclassified and all images of each set, for each seed of each network.
        records: Files of each network with a row for each attacked test image.
        published: The paper's numbers.
    """
    cells, spreads = {}, {}
    for model, paths in records.items():
        for images, column in COLUMNS.items():
            counts = [seed[images] for seed in errors[model]]
            cells[model, column] = error_rate(counts)
        found = distortions([pd.read_parquet(path) for path in paths])
        mean, spread = distortion_cell((model, "distortion"), found)
        cells, spreads = cells | mean, spreads | spread
    return tidy(cells, published, "training-sets", spreads)


if __name__ == "__main__":
    networks, files = snakemake.params.settings["networks"], snakemake.input
    with step_log(snakemake, threads=None):
        records = by_model(networks, files.records)
        table = run(read_json(files.errors), records, read_published(files.published))
        title = "Table 3: networks trained on splits"
        write_table(table, snakemake.output.training_sets, title)
