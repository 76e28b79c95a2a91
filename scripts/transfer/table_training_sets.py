"""Step: Table 3, errors and average distortions of networks trained on splits."""

import pandas as pd

from intriguing.tables.rates import distortion_cells, distortions, error_rate
from intriguing.tables.tidy import tidy
from intriguing.workflow.files import by_model, read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

COLUMNS = {"P1": "error-P1", "P2": "error-P2", "test": "test-error"}


def run(
    errors: dict, records: dict[str, list[str]], published: pd.DataFrame
) -> pd.DataFrame:
    """Return the tidy table ``training-sets``.

    It is made of the counts of errors of each seed of each network, and of its records
    of attacked test images.
    """
    cells = {}
    for model, paths in records.items():
        for images, column in COLUMNS.items():
            counts = [seed[images] for seed in errors[model]]
            cells[model, column] = error_rate(counts)
        found = distortions([pd.read_parquet(path) for path in paths])
        cells |= distortion_cells(model, found)
    return tidy(cells, published, "training-sets")


if __name__ == "__main__":
    networks, files = snakemake.params.settings["networks"], snakemake.input
    with step_log(snakemake, threads=None):
        records = by_model(networks, files.records)
        table = run(read_json(files.errors), records, read_published(files.published))
        title = "Table 3: networks trained on splits"
        write_table(table, snakemake.output.training_sets, title)
