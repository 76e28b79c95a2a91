"""Step: adversarial natural images, rounded, lengthened, and fed to other networks."""

from collections.abc import Mapping

import pandas as pd
from safetensors.torch import load_file
from torch import Tensor, nn

from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.natural.images import evaluation_sets
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import progress, step_log

Sources = dict[tuple[str, str, int], str]
"""File of the images by attack, network and share."""


def run(
    weights: dict[str, str], sources: Sources, factors: list[float]
) -> pd.DataFrame:
    """Return every network's prediction for every image, one row each.

    Args:
        weights: File of each network; they know the same classes.
        sources: Files of adversarial images made for these networks.
        factors: By which perturbations are made longer.
    """
    networks = {name: load_model(path) for name, path in weights.items()}
    tables = []
    for (attack, source, share), path in progress(sources.items(), "transfer"):
        stored = load_file(path)
        pair = stored["clean"], stored["adversarial"]
        for row, images in evaluation_sets(*pair, factors, share).items():
            known = {"attack": attack, "source": source, "row": row, "part": share}
            tables.append(predictions_on(networks, images, stored, known))
    return pd.concat(tables, ignore_index=True)


def predictions_on(
    networks: Mapping[str, nn.Module], images: Tensor, stored: dict, known: dict
) -> pd.DataFrame:
    """Return each network's predictions for one set of images."""
    shift = (images - stored["clean"]).flatten(1).square().mean(1).sqrt()
    image = {key: stored[key].numpy() for key in ("label", "target", "index")}
    known, frames = {**known, **image, "distortion": shift.numpy()}, []
    for name, network in networks.items():
        predicted = predict(network, images, 16).argmax(1).numpy()
        own = {"column": name, "prediction": predicted}
        frames.append(pd.DataFrame({**known, **own}))
    return pd.concat(frames)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        weights = dict(zip(settings["networks"], files.weights, strict=True))
        images = dict(zip(settings["sources"], files.images, strict=True))
        predictions = run(weights, images, settings["amplify"])
        write_parquet(snakemake.output.predictions, predictions)
