"""Step: train one network as one variant, and count its errors."""

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


def run(settings: dict, seed: int, name: str, train: Images) -> nn.Sequential:
    """Return the network.

    Args:
        settings: Of the ``variant``, the ``recipe`` of Adam, and the ``hidden`` units.
        seed: Seed of all that is random.
        name: Of the network, to show progress.
        train: Training images and labels.
    """
    pixels, labels = train
    variant, recipe = Variant(**settings["variant"]), AdamRecipe(**settings["recipe"])
    track = lambda epochs: progress(epochs, f"{name}, seed {seed}")  # noqa: E731
    how = settings["hidden"], variant, recipe, seed, track
    return fit_variant(pixels.flatten(1), labels, *how)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, name = int(snakemake.wildcards.seed), snakemake.wildcards.variant
    with step_log(snakemake, seed, settings["threads"]):
        sets = {kind: read_images(files[kind]) for kind in ("train", "test")}
        network = run(settings, seed, name, sets["train"])
        shape = perceptron_architecture(network)
        facts = {"model": name, "seed": str(seed)}
        write_network(snakemake.output.weights, network, shape, **facts)
        write_json(snakemake.output.errors, error_counts(network, sets))
