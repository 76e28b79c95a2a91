"""Step: Table 2, images made for one network and noise, fed to every network."""

import pandas as pd

from intriguing.tables.rates import transfer_cells
from intriguing.tables.tidy import tidy
from intriguing.transfer.claims import among, claims
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_claims, write_table


def run(
    predictions: pd.DataFrame, rows: list[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Return the tidy table of chosen rows: errors by network, and distortion.

    Args:
        predictions: Every network's prediction for every image.
        rows: Sets of images, in the order of the table.
        published: The paper's numbers.
    """
    cells, spreads = transfer_cells(predictions, rows)
    return tidy(cells, published, "cross-model", spreads)


def first_images(predictions: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return the predictions for the first images of each seed, in sampled order."""
    place = predictions.groupby(["row", "column", "seed"]).cumcount()
    return predictions[place < count]


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    output = snakemake.output
    with step_log(snakemake, threads=None):
        every = pd.read_parquet(files.predictions)
        published = read_published(files.published)
        sample = first_images(every, settings["sample"])
        table = run(every, settings["rows"], published)
        write_table(table, output.cross_model, "Table 2: transfer")
        table = run(sample, settings["rows"], published)
        write_table(table, output.cross_model_sample, "Table 2 on the paper's sample")
        table = run(every, settings["controls"], published)
        write_table(table, output.controls, "Controls of Table 2")
        own = among(every, settings["networks"])
        found = claims(own, settings["by_decay"], settings["autoencoder"])
        write_claims(found, output.claims)
