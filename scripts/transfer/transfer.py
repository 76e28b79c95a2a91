"""Step: feed the images made for each network, and noise, to every network."""

import pandas as pd
from safetensors.torch import load_file

from intriguing.models.files import load_model
from intriguing.transfer.predictions import (
    adversarial_sets,
    networks_of_seed,
    noise_sets,
    predictions_on,
)
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import progress, step_log

Network = tuple[str, int]


def run(
    weights: dict[Network, str], images: dict[Network, str], deviations: list[float]
) -> pd.DataFrame:
    """Return every network's prediction for every image, one row each.

    What was made with seed s is fed to the networks of seed s, and to those that have
    the seed 0 only. A network that lacks the seed s, but has several, is left out.

    Args:
        weights: File of each network and seed.
        images: File of the adversarial images made for each.
        deviations: Standard deviations of the noise.
    """
    networks = {network: load_model(path) for network, path in weights.items()}
    tables, noisy = [], set()
    for (source, seed), path in progress(images.items(), "transfer"):
        stored = load_file(path)
        clean, known = stored["clean"], (stored["label"], stored["index"], seed)
        sets = adversarial_sets(source, clean, stored["adversarial"], seed)
        if seed not in noisy:  # images of a seed are the same for every network
            sets |= noise_sets(clean, deviations, seed)
        noisy.add(seed)
        fed = networks_of_seed(networks, seed)
        tables.append(predictions_on(fed, sets, clean, *known))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        weights, images = (
            dict(zip(settings["networks"], paths, strict=True))
            for paths in (files.weights, files.images)
        )
        predictions = run(weights, images, settings["deviations"])
        write_parquet(snakemake.output.predictions, predictions)
