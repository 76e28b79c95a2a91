"""Step: train one network with one seed, and count its errors."""

import json
from pathlib import Path

import numpy as np
from safetensors.torch import load_file
from torch import nn

from intriguing.data import to_pixels
from intriguing.models.evaluation import count_errors
from intriguing.models.files import serialise_model
from intriguing.models.perceptron import perceptron_architecture
from intriguing.training import perceptron
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.files import replacing, write_text
from intriguing.workflow.step import progress, step_log

RECIPE = ("learning_rate", "epochs", "batch", "warmup")


def run(
    settings: dict, seed: int, digits: dict[str, str], split: str | None
) -> tuple[nn.Sequential, dict[str, dict[str, int]]]:
    """Return the network, and its wrong and all images of each set of digits.

    Args:
        settings: ``row`` of the model sheet; settings of the ``autoencoder``.
        seed: Decides initial weights and order of images.
        digits: Files of images and labels: ``train`` and ``test``.
        split: Index file of the training images to use; None for all.
    """
    row, sets = settings["row"], {}
    for name, path in digits.items():
        stored = load_file(path)
        sets[name] = to_pixels(stored["images"]), stored["labels"]
    pixels, labels = sets["train"]
    if split:
        chosen = np.loadtxt(split, dtype=np.int64)
        pixels, labels = pixels[chosen], labels[chosen]
    recipe = AdamRecipe(*(row[key] for key in RECIPE))
    sparsity = perceptron.Sparsity(**settings["autoencoder"])
    track = lambda epochs: progress(epochs, f"{row['model']}, seed {seed}")  # noqa: E731
    shape = (row["hidden"], row["decay"], recipe, sparsity)
    network = perceptron.fit_network(
        row["family"], pixels.flatten(1), labels, *shape, seed, track
    )
    return network, {n: count_errors(network, *sets[n]) for n in sets}


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, output = int(snakemake.wildcards.seed), snakemake.output
    with step_log(snakemake, seed, settings["threads"]):
        digits = {name: files[name] for name in ("train", "test")}
        network, counts = run(settings, seed, digits, files.get("split"))
        facts = {"model": settings["row"]["model"], "seed": str(seed)}
        shape = perceptron_architecture(network)
        with replacing(output.weights) as temporary:
            temporary.write_bytes(serialise_model(network, shape, facts))
        write_text(Path(output.errors), json.dumps(counts, indent=2) + "\n")
