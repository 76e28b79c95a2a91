"""Step: train one network with one seed, and count its errors."""

import numpy as np
from torch import nn

from intriguing.models.perceptron import perceptron_architecture
from intriguing.training import perceptron
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.files import write_json
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import (
    Images,
    error_counts,
    read_images,
    write_network,
)

RECIPE = ("learning_rate", "epochs", "batch", "warmup")


def run(settings: dict, seed: int, train: Images, split: str | None) -> nn.Sequential:
    """Return the network.

    Args:
        settings: ``row`` of the model sheet; settings of the ``autoencoder``.
        seed: Seed of initial weights and order of images.
        train: Training images and labels.
        split: Index file of the training images to use; None for all.
    """
    row, (pixels, labels) = settings["row"], train
    if split:
        chosen = np.loadtxt(split, dtype=np.int64)
        pixels, labels = pixels[chosen], labels[chosen]
    recipe = AdamRecipe(*(row[key] for key in RECIPE))
    sparsity = perceptron.Sparsity(**settings["autoencoder"])
    track = lambda epochs: progress(epochs, f"{row['model']}, seed {seed}")  # noqa: E731
    shape = (row["hidden"], row["decay"], recipe, sparsity)
    return perceptron.fit_network(
        row["family"], pixels.flatten(1), labels, *shape, seed, track
    )


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed = int(snakemake.wildcards.seed)
    with step_log(snakemake, seed, settings["threads"]):
        sets = {kind: read_images(files[kind]) for kind in ("train", "test")}
        network = run(settings, seed, sets["train"], files.get("split"))
        shape = perceptron_architecture(network)
        facts = {"model": settings["row"]["model"], "seed": str(seed)}
        write_network(snakemake.output.weights, network, shape, **facts)
        write_json(snakemake.output.errors, error_counts(network, sets))
