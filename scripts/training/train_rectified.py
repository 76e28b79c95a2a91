"""Step: train a network of rectified units, and count its errors."""

from torch import nn

from intriguing.models.architecture import build
from intriguing.training.rectified import fit_classifier, rectified_architecture
from intriguing.workflow.files import write_json
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import (
    Images,
    error_counts,
    read_images,
    write_network,
)


def run(sizes: list[int], seed: int, train: Images) -> nn.Sequential:
    """Return the network.

    Args:
        sizes: Pixels, units of each hidden layer, classes.
        seed: Seed of initial weights and the order of the images.
        train: Training images and labels.
    """
    network = build(rectified_architecture(sizes))
    track = lambda epochs: progress(epochs, f"ReLU network, seed {seed}")  # noqa: E731
    return fit_classifier(network, *train, seed, track)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    sizes, seed = settings["sizes"], int(snakemake.wildcards.seed)
    with step_log(snakemake, seed, settings["threads"]):
        sets = {kind: read_images(files[kind]) for kind in ("train", "test")}
        network = run(sizes, seed, sets["train"])
        facts = {"model": settings["model"], "seed": str(seed)}
        shape = rectified_architecture(sizes)
        write_network(snakemake.output.weights, network, shape, **facts)
        write_json(snakemake.output.errors, error_counts(network, sets))
