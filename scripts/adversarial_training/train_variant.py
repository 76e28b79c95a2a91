"""Step: train one network as one variant, and count its errors.

A setting is tried in the same way: on images held out of training, and not stored.
"""

from torch import nn

from intriguing.adversarial_training.fit import Variant, fit_variant
from intriguing.models.perceptron import perceptron_architecture
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.files import write_json
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import (
    Images,
    error_counts,
    read_images,
    write_network,
)


def run(settings: dict, seed: int, train: Images) -> nn.Sequential:
    """Return the network.

    ``settings`` have its ``name``, to show progress, the ``variant``, the ``recipe`` of
    Adam, and the ``hidden`` units.
    """
    pixels, labels = train
    variant, recipe = Variant(**settings["variant"]), AdamRecipe(**settings["recipe"])
    track = lambda epochs: progress(epochs, settings["name"])  # noqa: E731
    how = settings["hidden"], variant, recipe, seed, track
    return fit_variant(pixels.flatten(1), labels, *how)


def split_off(train: Images, share: float) -> dict[str, Images]:
    """Return the training images without the last share of them, and that share."""
    (pixels, labels), count = train, len(train[1])
    kept = count - round(share * count)
    held_out = pixels[kept:], labels[kept:]
    return {"train": (pixels[:kept], labels[:kept]), "held-out": held_out}


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, output = int(snakemake.wildcards.seed), snakemake.output
    with step_log(snakemake, seed, settings["threads"]):
        sets = {kind: read_images(path) for kind, path in files.items()}
        if "held_out" in settings:
            sets = split_off(sets["train"], settings["held_out"])
        network = run(settings, seed, sets["train"])
        if "held_out" not in settings:
            facts = {"model": settings["name"], "seed": str(seed)}
            shape = perceptron_architecture(network)
            write_network(output.weights, network, shape, **facts)
        write_json(output.errors, error_counts(network, sets))
