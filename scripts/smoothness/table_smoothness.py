"""Step: what each factor does to the distances, and where more data would lead."""

import pandas as pd
from safetensors.torch import load_file

from intriguing.smoothness.measures import ceilings
from intriguing.smoothness.table import KINDS, smoothness_cells
from intriguing.tables.tidy import own_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(
    how: dict,
    measured: pd.DataFrame,
    planted: pd.DataFrame,
    train_file: str,
    test_file: str,
) -> pd.DataFrame:
    """Return the tidy table ``smoothness``.

    Args:
        how: ``images``, ``extremes`` and ``attacked`` of the experiment.
        measured: A row for each network.
        planted: A row for each network on planted clusters.
        train_file: Training images.
        test_file: Test images.
    """
    files = load_file(test_file), load_file(train_file)
    images, extremes = how["images"], how["extremes"]
    ceiling = ceilings(*files, how["attacked"], images)
    return own_table(smoothness_cells(measured, planted, images, extremes, ceiling))


if __name__ == "__main__":
    files, how = snakemake.input, snakemake.params.settings
    with step_log(snakemake, threads=how["threads"]):
        measured = pd.concat(map(pd.read_parquet, files.measured), ignore_index=True)
        planted = pd.read_parquet(files.planted)
        table = run(how, measured, planted, files.train, files.test)
        title = "Local smoothness: data, architecture and training"
        write_table(table, snakemake.output.smoothness, title, KINDS)
