"""Step: feed the images made for each network, and noise, to every network."""

from collections.abc import Sequence

import pandas as pd

from intriguing.transfer.predictions import (
    adversarial_sets,
    noise_sets,
    predictions_of_seed,
)
from intriguing.workflow.files import write_parquet
from intriguing.workflow.networks import images_made, read_networks
from intriguing.workflow.step import step_log


def run(
    names: Sequence[tuple[str, int]],
    weights: Sequence[str],
    attacked: Sequence[tuple[str, int]],
    images: Sequence[str],
    deviations: Sequence[float],
) -> pd.DataFrame:
    """Return every network's prediction for every image, one row each.

    Args:
        names: Name and seed of each network.
        weights: Its file.
        attacked: Name of the network and seed of each set of images.
        images: Its file.
        deviations: Standard deviations of the noise.
    """
    networks, tables, noisy = read_networks(names, weights), [], set()
    for (source, seed), made in images_made(attacked, images, "transfer"):
        sets = adversarial_sets(source, made["clean"], made["adversarial"], seed)
        if seed not in noisy:  # images of a seed are the same for every network
            sets |= noise_sets(made["clean"], deviations, seed)
        noisy.add(seed)
        tables.append(predictions_of_seed(networks, seed, sets, made))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        networks = settings["networks"], files.weights
        made = settings["attacked"], files.images
        predictions = run(*networks, *made, settings["deviations"])
        write_parquet(snakemake.output.predictions, predictions)
