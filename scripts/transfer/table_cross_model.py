"""Step: Table 2, images made for one network and noise, fed to every network."""

import pandas as pd

from intriguing.tables.rates import transfer_cells
from intriguing.tables.tidy import tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import FORMS, read_published, write_table


def run(
    answers: pd.DataFrame, rows: list[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Return the tidy table of chosen rows: errors by network, and distortion.

    Args:
        answers: Every network's answer to every image.
        rows: Sets of images, in the order of the table.
        published: The paper's numbers.
    """
    return tidy(transfer_cells(answers, rows), published, "cross-model")


def first_images(answers: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the answers to the first images of each seed, in the order drawn."""
    place = answers.groupby(["row", "column", "seed"]).cumcount()
    return answers[place < count]


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        answers = pd.read_parquet(files.answers)
        published = read_published(files.published)
        sample = first_images(answers, settings["sample"])
        parts = {
            "table": ("Table 2: transfer", answers, settings["rows"]),
            "sample": ("Table 2 on the paper's sample", sample, settings["rows"]),
            "controls": ("Controls of Table 2", answers, settings["controls"]),
        }
        for name, (title, part, rows) in parts.items():
            outputs = {kind: snakemake.output[f"{name}_{kind}"] for kind in FORMS}
            write_table(run(part, rows, published), outputs, title)
