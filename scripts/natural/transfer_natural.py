"""Step: adversarial natural images, rounded, lengthened, and fed to other networks."""

from collections.abc import Mapping, Sequence

import pandas as pd
from torch import nn

from intriguing.models.perturbed import predictions_on
from intriguing.natural.images import evaluation_sets
from intriguing.workflow.files import write_parquet
from intriguing.workflow.networks import images_made, read_networks
from intriguing.workflow.step import step_log


def run(
    networks: Mapping[str, nn.Module],
    sources: Sequence[tuple[str, str, int]],
    images: Sequence[str],
    factors: Sequence[float],
) -> pd.DataFrame:
    """Return every network's prediction for every image, one row each.

    ``sources`` are the attack, the network and the share of each file of images.
    Perturbations are made longer by the ``factors``.
    """
    tables = []
    for (attack, source, share), made in images_made(sources, images, "transfer"):
        clean = made["clean"]
        sets = evaluation_sets(clean, made["adversarial"], factors, share)
        known = {"attack": attack, "source": source, "part": share}
        known |= {key: made[key] for key in ("label", "target", "index")}
        tables.append(predictions_on(networks, sets, clean, known))
    return pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        networks = read_networks(settings["networks"], files.weights)
        made = settings["sources"], files.images
        predictions = run(networks, *made, settings["amplify"])
        write_parquet(snakemake.output.predictions, predictions)
