"""Step: Table 1, errors and average distortions of the networks; the claims on them."""

import pandas as pd

from intriguing.attack.claims import (
    adversarial_images_are_close,
    adversarial_images_exist,
)
from intriguing.stats.agreement import Claim
from intriguing.tables import rates
from intriguing.tables.tidy import tidy
from intriguing.workflow.files import by_model, read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_claims, write_table


def run(
    errors: dict[str, list[str]], records: dict[str, list[str]], published: pd.DataFrame
) -> tuple[pd.DataFrame, list[Claim]]:
    """Return the tidy table ``models``, and the claims on adversarial images.

    Args:
        errors: Files of each network with the errors on each set of images.
        records: Files of each network with a row for each attacked image.
        published: The paper's numbers.
    """
    cells, lengths, reached = {}, {}, {}
    for model, paths in records.items():
        attacked = [pd.read_parquet(path) for path in paths]
        cells |= rates.error_cells(model, [read_json(path) for path in errors[model]])
        cells |= rates.distortion_cells(model, rates.distortions(attacked))
        lengths[model] = cells[model, rates.MEAN_DISTORTION]
        reached[model] = [seed["reached"] for seed in attacked]
    table = tidy(cells, published, "models")
    claims = [adversarial_images_exist(reached)]
    return table, [*claims, adversarial_images_are_close(lengths)]


def selection_note(networks: list[str]) -> str:
    """Return which rows agree by choice, as their recipes were selected to."""
    if not networks:
        return ""
    return (
        f"The settings of {', '.join(networks)} were selected by test errors and "
        "distortions beside the paper's: the verdicts on these rows are circular."
    )


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        errors = by_model(settings["networks"], files.errors)
        records = by_model(settings["attacked"], files.records)
        table, claims = run(errors, records, read_published(files.published))
        title, note = "Table 1: networks", selection_note(settings["selected"])
        write_table(table, snakemake.output.models, title, note=note)
        write_claims(claims, snakemake.output.claims)
