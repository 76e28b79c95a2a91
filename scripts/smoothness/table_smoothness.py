"""Step: what each factor does to the distances, and where more data would lead."""

import pandas as pd
from safetensors.torch import load_file

from intriguing.smoothness.measures import ceilings
from intriguing.smoothness.table import KINDS, smoothness_cells
from intriguing.tables.tidy import tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table


def run(
    how: dict,
    measured: pd.DataFrame,
    planted: pd.DataFrame,
    train_file: str,
    test_file: str,
    published: pd.DataFrame,
) -> pd.DataFrame:
    """Return the tidy table ``smoothness``.

    Args:
        how: ``images``, ``extremes`` and ``attacked`` of the experiment.
        measured: A row for each network.
        planted: A row for each network on planted clusters.
        train_file: Training images.
        test_file: Test images.
        published: The paper's numbers; it has none for this table.
    """
    files = load_file(test_file), load_file(train_file)
    images, extremes = how["images"], how["extremes"]
    ceiling = ceilings(*files, how["attacked"], images)
    cells = smoothness_cells(measured, planted, images, extremes, ceiling)
    return tidy(cells, published, "smoothness", KINDS)


if __name__ == "__main__":
    files, how = snakemake.input, snakemake.params.settings
    with step_log(snakemake, threads=how["threads"]):
        measured = pd.concat(map(pd.read_parquet, files.measured), ignore_index=True)
        others = files.train, files.test, read_published(files.published)
        table = run(how, measured, pd.read_parquet(files.planted), *others)
        title = "Local smoothness: data, architecture and training"
        write_table(table, snakemake.output.smoothness, title, KINDS)
