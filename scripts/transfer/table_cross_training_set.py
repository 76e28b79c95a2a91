"""Step: Table 4, distorted test images fed to networks of both splits; its claims."""

import pandas as pd

from intriguing.tables.rates import transfer_cells
from intriguing.tables.tidy import tidy
from intriguing.transfer.training_set_claims import claims
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
    return tidy(cells, published, "cross-training-set", spreads)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    output = snakemake.output
    with step_log(snakemake, threads=None):
        predictions = pd.read_parquet(files.predictions)
        published = read_published(files.published)
        table = run(predictions, settings["rows"], published)
        title = "Table 4: transfer across training sets"
        write_table(table, output.cross_training_set, title)
        controls = run(predictions, settings["controls"], published)
        write_table(controls, output.amplification, "Controls of Table 4")
        write_claims(claims(predictions, settings["splits"]), output.claims)
