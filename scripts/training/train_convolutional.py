"""Step: train one convolutional network with one seed, and count its errors."""

import json
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from intriguing.data import to_pixels
from intriguing.models.alexnet import ARCHITECTURES
from intriguing.models.architecture import Architecture
from intriguing.models.evaluation import count_errors
from intriguing.models.files import serialise_model
from intriguing.training.convolutional import Augmentation, fit_convolutional
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.files import replacing, write_text
from intriguing.workflow.step import progress, step_log

RECIPE = ("learning_rate", "epochs", "batch", "warmup")


def run(
    row: dict, seed: int, files: dict[str, str]
) -> tuple[nn.Sequential, Architecture, dict[str, dict[str, int]]]:
    """Return the network, its architecture, and its wrong and all images of each set.

    Args:
        row: Of the sheet of convolutional networks.
        seed: Decides initial weights and order of images.
        files: Images and labels: ``train`` and ``test``.
    """
    sets = {name: load_file(path) for name, path in files.items()}
    classes = int(sets["train"]["labels"].max()) + 1
    scaled = {"classes": classes} if row["architecture"] == "alexnet-2012" else {}
    architecture = ARCHITECTURES[row["architecture"]](**scaled)
    network = fit_convolutional(
        architecture,
        sets["train"]["images"],
        sets["train"]["labels"],
        AdamRecipe(*(row[key] for key in RECIPE)),
        row["decay"],
        Augmentation(row["shift"], row["mirror"] == "yes"),
        seed,
        lambda epochs: progress(epochs, f"{row['model']}, seed {seed}"),
    )
    counts = {}
    for name, stored in sets.items():
        pixels = to_pixels(stored["images"])
        counts[name] = count_errors(network, pixels, stored["labels"])
    return network, architecture, counts


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, output = int(snakemake.wildcards.seed), snakemake.output
    with step_log(snakemake, seed, settings["threads"]):
        digits = {name: files[name] for name in ("train", "test")}
        network, shape, counts = run(settings["row"], seed, digits)
        facts = {"model": settings["row"]["model"], "seed": str(seed)}
        with replacing(output.weights) as temporary:
            temporary.write_bytes(serialise_model(network, shape, facts))
        write_text(Path(output.errors), json.dumps(counts, indent=2) + "\n")
