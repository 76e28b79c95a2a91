"""Step: feed distorted test images to networks trained on splits of the digits."""

import pandas as pd
import torch
from safetensors.torch import load_file

from intriguing.data import to_pixels
from intriguing.models.files import load_model
from intriguing.transfer.amplification import amplified_sets
from intriguing.transfer.predictions import networks_of_seed, noise_sets, predictions_on
from intriguing.workflow.files import replacing
from intriguing.workflow.step import progress, step_log

Network = tuple[str, int]
BLOCK = 2000
"""Images that are given noise at once: larger blocks leave holes in the memory."""


def run(
    settings: dict, weights: dict[Network, str], images: dict[Network, str], test: str
) -> pd.DataFrame:
    """Return every network's answer to every image, one row each.

    Args:
        settings: ``amplified``, the root mean square to amplify to, and
            ``deviations`` of the noise, which all test images are given.
        weights: File of each network and seed.
        images: File of the adversarial images made for each.
        test: Test images and labels.
    """
    networks = {network: load_model(path) for network, path in weights.items()}
    tables, digits = [], load_file(test)
    for (source, seed), path in progress(images.items(), "transfer"):
        stored = load_file(path)
        clean, known = stored["clean"], (stored["label"], stored["index"], seed)
        found, amount = stored["adversarial"], settings["amplified"]
        sets = amplified_sets(source, clean, found, amount, seed)
        tables.append(
            predictions_on(networks_of_seed(networks, seed), sets, clean, *known)
        )
    count = len(digits["labels"])
    for seed in dict.fromkeys(seed for _, seed in images):
        for rows in torch.arange(count).split(BLOCK):
            clean, known = to_pixels(digits["images"][rows]), digits["labels"][rows]
            draw = seed * count + int(rows[0])  # each block has noise of its own
            sets = noise_sets(clean, settings["deviations"], draw)
            fed = networks_of_seed(networks, seed)
            tables.append(predictions_on(fed, sets, clean, known, rows, seed))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    networks = [tuple(network) for network in settings["networks"]]
    with step_log(snakemake, threads=settings["threads"]):
        weights = dict(zip(networks, files.weights, strict=True))
        images = dict(zip(networks, files.images, strict=True))
        table = run(settings, weights, images, files.test)
        with replacing(snakemake.output[0]) as temporary:
            table.to_parquet(temporary, index=False)
