"""Step: a table of transfer (Table 2 or 4), its controls and its claims."""

from collections.abc import Sequence

import pandas as pd

from intriguing.tables.rates import transfer_cells
from intriguing.tables.tidy import tidy
from intriguing.transfer.claims import cross_model_claims, cross_training_set_claims
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_claims, write_table


def run(
    predictions: pd.DataFrame,
    rows: Sequence[str],
    images: int | None,
    published: pd.DataFrame,
    name: str,
) -> pd.DataFrame:
    """Return the tidy table of chosen rows: errors by network, and distortion.

    ``images`` is how many of each seed count, the first ones sampled; None for all.
    ``name`` is that of the paper's table.
    """
    place = predictions.groupby(["row", "column", "seed"]).cumcount()
    own = predictions if images is None else predictions[place < images]
    return tidy(transfer_cells(own, rows), published, name)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    output = snakemake.output
    with step_log(snakemake, threads=None):
        predictions = pd.read_parquet(files.predictions)
        paper = read_published(files.published), settings["paper"]
        for key, (title, rows, images) in settings["tables"].items():
            table = run(predictions, rows, images, *paper)
            write_table(table, output[key], title)
        if how := settings.get("claims"):
            claims = (
                cross_training_set_claims if "splits" in how else cross_model_claims
            )
            write_claims(claims(predictions, **how), output.claims)
