"""Step: feed the images made for each network trained on a split to all others."""

from collections.abc import Sequence

import pandas as pd

from intriguing.transfer.pairs import fooled_counts, lengthened
from intriguing.workflow.files import write_parquet
from intriguing.workflow.networks import images_made, read_networks
from intriguing.workflow.step import step_log


def run(settings: dict, weights: Sequence[str], images: Sequence[str]) -> pd.DataFrame:
    """Return how many images of each network fool each of the others, a row a pair.

    ``settings`` have the name and seed of the ``networks``, and the ``factors`` and
    ``distortions`` to which perturbations are scaled. There is a file of weights, and
    one of the images made for it, for each network.
    """
    networks = read_networks(settings["networks"], weights)
    scales, tables = (settings["factors"], settings["distortions"]), []
    for source, made in images_made(networks, images, "pairs"):
        lengths = lengthened(made["clean"], made["adversarial"], *scales)
        known = made["clean"], made["label"]
        tables.append(fooled_counts(source, networks, *known, lengths))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        pairs = run(settings, files.weights, files.images)
        write_parquet(snakemake.output.pairs, pairs)
