"""Step: feed distorted test images to networks trained on splits of the digits."""

from collections.abc import Sequence

import pandas as pd
import torch

from intriguing.transfer.amplification import amplified_sets
from intriguing.transfer.predictions import noise_sets, predictions_of_seed
from intriguing.workflow.files import write_parquet
from intriguing.workflow.networks import images_made, read_networks
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import read_images

BLOCK = 2000
"""Images given noise at once: larger blocks would fragment the memory."""


def run(
    settings: dict, weights: Sequence[str], images: Sequence[str], test: str
) -> pd.DataFrame:
    """Return every network's prediction for every image, one row each.

    ``settings`` have the name and seed of the ``networks``, ``amplified``, the
    distortion to amplify to, and ``deviations`` of the noise, which is added to all
    test images. There is a file of weights and one of images for each network.
    """
    networks, tables = read_networks(settings["networks"], weights), []
    for (source, seed), made in images_made(networks, images, "transfer"):
        pair, amount = (made["clean"], made["adversarial"]), settings["amplified"]
        sets = amplified_sets(source, *pair, amount, seed)
        tables.append(predictions_of_seed(networks, seed, sets, made))
    pixels, labels = read_images(test)
    for seed in dict.fromkeys(seed for _, seed in networks):
        for rows in torch.arange(len(labels)).split(BLOCK):
            own_seed = seed * len(labels) + int(rows[0])  # each block has its own noise
            sets = noise_sets(pixels[rows], settings["deviations"], own_seed)
            block = {"clean": pixels[rows], "label": labels[rows], "index": rows}
            tables.append(predictions_of_seed(networks, seed, sets, block))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        predictions = run(settings, files.weights, files.images, files.test)
        write_parquet(snakemake.output.predictions, predictions)
