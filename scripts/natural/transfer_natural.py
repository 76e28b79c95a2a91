"""Step: adversarial natural images, rounded, lengthened, and fed to other networks."""

import pandas as pd
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.natural.images import evaluation_sets
from intriguing.workflow.files import replacing
from intriguing.workflow.step import progress, step_log

Sources = dict[tuple[str, str, int], str]
"""File of the images by attack, network and part."""


def run(
    weights: dict[str, str], sources: Sources, factors: list[float]
) -> pd.DataFrame:
    """Return every network's answer to every image, one row each.

    Args:
        weights: File of each network; they know the same classes.
        sources: Files of adversarial images made for these networks.
        factors: By which perturbations are made longer.
    """
    networks = {name: load_model(path) for name, path in weights.items()}
    tables = []
    for (attack, source, part), path in progress(sources.items(), "transfer"):
        stored = load_file(path)
        pair = stored["clean"], stored["adversarial"]
        for row, images in evaluation_sets(*pair, factors, part).items():
            known = {"attack": attack, "source": source, "row": row, "part": part}
            tables.append(answers(networks, images, stored, known))
    return pd.concat(tables, ignore_index=True)


def answers(
    networks: dict[str, nn.Module], images: Tensor, stored: dict, known: dict
) -> pd.DataFrame:
    """Return each network's answers to one set of images."""
    shift = (images - stored["clean"]).flatten(1).square().mean(1).sqrt()
    image = {"label": stored["label"].numpy(), "target": stored["target"].numpy()}
    image |= {"index": stored["index"].numpy(), "distortion": shift.numpy()}
    with torch.no_grad():
        return pd.concat(
            pd.DataFrame({**known, "column": name, **image, "prediction": found})
            for name, network in networks.items()
            for found in [predict(network, images, 16).argmax(1).numpy()]
        )


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    sources = [tuple(source) for source in settings["sources"]]
    with step_log(snakemake, threads=settings["threads"]):
        weights = dict(zip(settings["networks"], files.weights, strict=True))
        images = dict(zip(sources, files.images, strict=True))
        table = run(weights, images, settings["amplify"])
        with replacing(snakemake.output[0]) as temporary:
            table.to_parquet(temporary, index=False)
