"""Step: superposition in networks of one width, trained against perturbations."""

import logging

import pandas as pd

from intriguing.sae.superposition import (
    fit_against_perturbations,
    measured_superposition,
)
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images

ATTACKED = 64
"""Test images that are attacked."""


def run(width: int, settings: dict, train: Images, test: Images) -> pd.DataFrame:
    """Return a row for each length of the perturbations and seed.

    Args:
        width: Units of a hidden layer.
        settings: The lengths as ``radii``, the ``seeds``, how many training images are
            used as ``subset``, and ``epochs`` of the codes.
        train: Training images.
        test: Test images.
    """
    pixels, labels = (part[: settings["subset"]] for part in train)
    epochs, rows = settings["epochs"], []
    for radius in settings["radii"]:
        for seed in settings["seeds"]:
            logging.info("width %d, radius %g, seed %d", width, radius, seed)
            network = fit_against_perturbations(pixels, labels, width, radius, seed)
            facts = measured_superposition(
                network, pixels, test, ATTACKED, epochs, seed
            )
            rows.append({"width": width, "radius": radius, "seed": seed, **facts})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        sets = (read_images(path) for path in (files.train, files.test))
        width = int(snakemake.wildcards.width)
        write_parquet(snakemake.output[0], run(width, settings, *sets))
