"""Step: feed the images made for each network trained on a split to all others."""

import pandas as pd
from safetensors.torch import load_file

from intriguing.models.files import load_model
from intriguing.transfer.pairs import Network, fooled_counts, lengthened
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import progress, step_log


def run(
    settings: dict, weights: dict[Network, str], images: dict[Network, str]
) -> pd.DataFrame:
    """Return how many images of each network fool each of the others, a row a pair.

    Args:
        settings: ``factors`` and ``distortions`` to which perturbations are scaled.
        weights: File of each network and seed.
        images: File of the adversarial images made for each.
    """
    networks = {network: load_model(path) for network, path in weights.items()}
    tables = []
    for source, path in progress(images.items(), "pairs"):
        stored = load_file(path)
        clean, scales = stored["clean"], (settings["factors"], settings["distortions"])
        lengths = lengthened(clean, stored["adversarial"], *scales)
        labels = stored["label"]
        tables.append(fooled_counts(source, networks, clean, labels, lengths))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        weights, images = (
            dict(zip(settings["networks"], paths, strict=True))
            for paths in (files.weights, files.images)
        )
        write_parquet(snakemake.output.pairs, run(settings, weights, images))
