"""Step: feed distorted test images to networks trained on splits of the digits."""

import pandas as pd
import torch
from safetensors.torch import load_file

from intriguing.models.files import load_model
from intriguing.transfer.amplification import amplified_sets
from intriguing.transfer.predictions import networks_of_seed, noise_sets, predictions_on
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import read_images

Network = tuple[str, int]
BLOCK = 2000
"""Images given noise at once: larger blocks would fragment the memory."""


def run(
    settings: dict, weights: dict[Network, str], images: dict[Network, str], test: str
) -> pd.DataFrame:
    """Return every network's prediction for every image, one row each.

    Args:
        settings: ``amplified``, the distortion to amplify to, and ``deviations`` of the
            noise, which is added to all test images.
        weights: File of each network and seed.
        images: File of the adversarial images made for each.
        test: Test images and labels.
    """
    networks = {network: load_model(path) for network, path in weights.items()}
    tables, (pixels, labels) = [], read_images(test)
    for (source, seed), path in progress(images.items(), "transfer"):
        stored = load_file(path)
        clean, known = stored["clean"], (stored["label"], stored["index"], seed)
        found, amount = stored["adversarial"], settings["amplified"]
        sets = amplified_sets(source, clean, found, amount, seed)
        fed = networks_of_seed(networks, seed)
        tables.append(predictions_on(fed, sets, clean, *known))
    for seed in dict.fromkeys(seed for _, seed in images):
        fed = networks_of_seed(networks, seed)
        for rows in torch.arange(len(labels)).split(BLOCK):
            own_seed = seed * len(labels) + int(rows[0])  # each block has its own noise
            sets = noise_sets(pixels[rows], settings["deviations"], own_seed)
            known = labels[rows], rows, seed
            tables.append(predictions_on(fed, sets, pixels[rows], *known))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        weights, images = (
            dict(zip(settings["networks"], paths, strict=True))
            for paths in (files.weights, files.images)
        )
        predictions = run(settings, weights, images, files.test)
        write_parquet(snakemake.output.predictions, predictions)
