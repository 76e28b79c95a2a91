"""Step: train one network with one seed, count its errors, say how far it converged."""

import numpy as np
from torch import nn

from intriguing.models.perceptron import perceptron_architecture
from intriguing.training import perceptron
from intriguing.training.full_batch import LbfgsRecipe, convergence
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.files import write_json
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import Images, error_counts, read_images, write_network

RECIPE = ("learning_rate", "epochs", "batch", "warmup")


def run(settings: dict, seed: int, images: Images) -> nn.Sequential:
    """Return the network.

    Args:
        settings: ``row`` of the model sheet; ``autoencoder`` and ``lbfgs``.
        seed: Seed of initial weights and order of images.
        images: Training images, flattened, and labels.
    """
    row = settings["row"]
    recipe = LbfgsRecipe(**settings["lbfgs"])
    if row["learning_rate"] is not None:
        recipe = AdamRecipe(*(row[key] for key in RECIPE))
    sparsity = perceptron.Sparsity(**settings["autoencoder"])
    track = lambda steps: progress(steps, f"{row['model']}, seed {seed}")  # noqa: E731
    shape = (row["hidden"], row["decay"], recipe, sparsity)
    return perceptron.fit_network(row["family"], *images, *shape, seed, track)


def training_images(train: Images, split: str | None) -> Images:
    """Return flattened images and labels: all, or those of an index file."""
    pixels, labels = train
    chosen = np.loadtxt(split, dtype=np.int64) if split else slice(None)
    return pixels[chosen].flatten(1), labels[chosen]


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed = int(snakemake.wildcards.seed)
    with step_log(snakemake, seed, settings["threads"]):
        sets = {kind: read_images(files[kind]) for kind in ("train", "test")}
        images = training_images(sets["train"], files.get("split"))
        network = run(settings, seed, images)
        shape = perceptron_architecture(network)
        facts = {"model": settings["row"]["model"], "seed": str(seed)}
        write_network(snakemake.output.weights, network, shape, **facts)
        found = error_counts(network, sets)
        if settings["row"]["family"] != "autoencoder":
            found["convergence"] = convergence(  # pyright: ignore[reportArgumentType]
                network, *images, settings["row"]["decay"]
            )
        write_json(snakemake.output.errors, found)
