"""Step: train the network of rectified units that the comparison of attacks uses."""

from torch import nn

from intriguing.baselines.relu import fit_relu, relu_architecture
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import (
    Images,
    error_counts,
    read_images,
    write_network,
)


def run(train: Images, sizes: list[int], epochs: int, seed: int) -> nn.Sequential:
    """Return the network.

    Args:
        train: Training images and labels.
        sizes: Pixels, units of each hidden layer, classes.
        epochs: Passes over the images.
        seed: Seed of initial weights and the order of the images.
    """
    pixels, labels = train
    track = lambda epochs: progress(epochs, "ReLU network")  # noqa: E731
    return fit_relu(pixels.flatten(1), labels, sizes, epochs, seed, track)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, sizes = settings["seed"], settings["sizes"]
    with step_log(snakemake, seed, settings["threads"]) as log:
        network = run(read_images(files.train), sizes, settings["epochs"], seed)
        log.info("%s", error_counts(network, {"test": read_images(files.test)}))
        facts = {"model": settings["model"], "seed": str(seed)}
        shape = relu_architecture(sizes)
        write_network(snakemake.output.weights, network, shape, **facts)
