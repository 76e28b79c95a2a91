"""Step: train one network with one way to regularise, and count its errors."""

import json
from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from intriguing.adversarial_training.fit import Variant, fit_variant
from intriguing.data import to_pixels
from intriguing.models.evaluation import count_errors
from intriguing.models.files import serialise_model
from intriguing.models.perceptron import perceptron_architecture
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.files import replacing, write_text
from intriguing.workflow.step import progress, step_log


def run(
    settings: dict, seed: int, name: str, digits: dict[str, str]
) -> tuple[nn.Sequential, dict[str, dict[str, int]]]:
    """Return the network, and its wrong and all images of each set of digits.

    Args:
        settings: Of the ``variant``, the ``recipe`` of Adam, and the ``hidden`` units.
        seed: Decides all that is drawn.
        name: Of the network, to show progress.
        digits: Files of images and labels: ``train`` and ``test``.
    """
    sets = {}
    for part, path in digits.items():
        stored = load_file(path)
        sets[part] = to_pixels(stored["images"]), stored["labels"]
    pixels, labels = sets["train"]
    variant = Variant(**settings["variant"])
    track = lambda epochs: progress(epochs, f"{name}, seed {seed}")  # noqa: E731
    how = settings["hidden"], variant, AdamRecipe(**settings["recipe"]), seed, track
    network = fit_variant(pixels.flatten(1), labels, *how)
    return network, {p: count_errors(network, *sets[p]) for p in sets}


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, output = int(snakemake.wildcards.seed), snakemake.output
    with step_log(snakemake, seed, settings["threads"]):
        digits, name = dict(files.items()), snakemake.wildcards.variant
        network, counts = run(settings, seed, name, digits)
        facts = {"model": name, "seed": str(seed)}
        shape = perceptron_architecture(network)
        with replacing(output.weights) as temporary:
            temporary.write_bytes(serialise_model(network, shape, facts))
        write_text(Path(output.errors), json.dumps(counts, indent=2) + "\n")
