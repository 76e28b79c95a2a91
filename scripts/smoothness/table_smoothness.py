"""Step: what each factor does to the distances, and where more data would lead."""

import pandas as pd
from jaxtyping import Float, UInt8
from safetensors.torch import load_file
from torch import Tensor

from intriguing.data import to_pixels
from intriguing.smoothness.measures import nearest_other_class
from intriguing.smoothness.table import (
    KINDS,
    curve_cells,
    factorial_cells,
    limit_cells,
    planted_cells,
)
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
    train, test = load_file(train_file), load_file(test_file)
    pixels, labels = flat(train["images"]), train["labels"]
    attacked = slice(how["attacked"])
    shown, truth = flat(test["images"][attacked]), test["labels"][attacked]
    ceiling = {
        n: nearest_other_class(shown, truth, pixels[:n], labels[:n]).numpy()
        for n in how["images"]
    }
    cells = factorial_cells(measured, how["extremes"])
    cells |= curve_cells(measured, how["images"], how["extremes"][1])
    cells |= limit_cells(measured, how["images"], ceiling)
    return tidy(cells | planted_cells(planted), published, "smoothness", KINDS)


def flat(images: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
    """Return pixels in [0, 1], a row for each image."""
    return to_pixels(images).flatten(1)


if __name__ == "__main__":
    files, how = snakemake.input, snakemake.params.settings
    with step_log(snakemake, threads=how["threads"]):
        measured = pd.concat(map(pd.read_parquet, files.measured), ignore_index=True)
        others = files.train, files.test, read_published(files.published)
        table = run(how, measured, pd.read_parquet(files.planted), *others)
        title = "Local smoothness: data, architecture and training"
        write_table(table, snakemake.output.smoothness, title, KINDS)
