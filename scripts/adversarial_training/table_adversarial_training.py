"""Step: test error, distortion and transfer of every variant; the claims."""

from collections.abc import Mapping, Sequence

import pandas as pd

from intriguing.adversarial_training.claims import claims
from intriguing.adversarial_training.table import variant_cells
from intriguing.stats.agreement import Claim
from intriguing.tables.rates import Counts
from intriguing.tables.tidy import tidy
from intriguing.workflow.files import by_model, read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_claims, write_table


def run(
    counts: Mapping[str, Sequence[Counts]],
    predictions: pd.DataFrame,
    published: pd.DataFrame,
) -> tuple[pd.DataFrame, list[Claim]]:
    """Return the tidy table ``adversarial-training``, and the claims.

    It is made of the counts of errors of each set of images, for each seed of each
    variant, and of every variant's prediction for every image.
    """
    cells = variant_cells(counts, predictions)
    table = tidy(cells, published, "adversarial-training")
    tested = {name: [seed["test"] for seed in own] for name, own in counts.items()}
    return table, claims(tested)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    prefix, output = settings["prefix"], snakemake.output
    with step_log(snakemake, threads=None):
        counts = {
            model.removeprefix(prefix): [read_json(path) for path in paths]
            for model, paths in by_model(settings["networks"], files.errors).items()
        }
        predictions = pd.concat([pd.read_parquet(path) for path in files.predictions])
        for column in ("row", "column"):  # networks are named by their variants
            predictions[column] = predictions[column].str.replace(prefix, "")
        table, found = run(counts, predictions, read_published(files.published))
        write_table(table, output.adversarial_training, "Adversarial training")
        write_claims(found, output.claims, output.claims_html)
