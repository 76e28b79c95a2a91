"""Step: train rectified networks with one kind of penalty, and measure what it buys."""

import logging

import pandas as pd

from intriguing.bounds.penalised import measured_gain
from intriguing.bounds.penalties import METHODS, fit_with_penalty
from intriguing.models.architecture import build
from intriguing.training.rectified import rectified_architecture
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images

SIZES = [784, 100, 100, 10]


def run(method: str, settings: dict, train: Images, test: Images) -> pd.DataFrame:
    """Return a row for each strength and seed: what the network gained.

    Args:
        method: Kind of the penalty.
        settings: ``seeds`` of initial weights and the order of the images; how many
            training images are used as ``subset``; ``images``, of which twice as many
            test images are certified for each network and eight times are attacked.
        train: Training images.
        test: Test images.
    """
    pixels, labels = (part[: settings["subset"]] for part in train)
    images, rows = settings["images"], []
    for strength in METHODS[method].strengths:
        for seed in settings["seeds"]:
            logging.info("%s of strength %g, seed %d", method, strength, seed)
            network = build(rectified_architecture(SIZES))
            fit_with_penalty(network, pixels, labels, method, strength, seed)
            facts = measured_gain(network, *test, 8 * images, 2 * images)
            key = {"method": method, "strength": strength, "seed": seed}
            rows.append(key | facts)
    return pd.DataFrame(rows)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        sets = (read_images(path) for path in (files.train, files.test))
        method = snakemake.wildcards.method
        write_parquet(snakemake.output[0], run(method, settings, *sets))
