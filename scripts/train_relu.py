"""Step: train the network of rectified units that the comparison of attacks uses."""

from safetensors.torch import load_file
from torch import nn

from intriguing.data import to_pixels
from intriguing.models import count_errors, serialise_model
from intriguing.peers.relu import fit_relu, relu_architecture
from intriguing.workflow.files import replacing
from intriguing.workflow.step import progress, step_log


def run(train: str, hidden: list[int], epochs: int, seed: int) -> nn.Sequential:
    """Return the network.

    Args:
        train: File of training images and labels.
        hidden: Units of each hidden layer.
        epochs: Passes over the images.
        seed: Decides initial weights and the order of the images.
    """
    stored = load_file(train)
    pixels = to_pixels(stored["images"]).flatten(1)
    return fit_relu(pixels, stored["labels"], hidden, epochs, seed, progress_of)


def progress_of(epochs):
    """Show progress over epochs."""
    return progress(epochs, "ReLU network")


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, threads = settings["seed"], settings["threads"]
    with step_log(snakemake, seed, threads) as log:
        network = run(files.train, settings["hidden"], settings["epochs"], seed)
        test = load_file(files.test)
        counts = count_errors(network, to_pixels(test["images"]), test["labels"])
        log.info("test images: %s", counts)
        layers = [layer for layer in network if isinstance(layer, nn.Linear)]
        sizes = [layers[0].in_features, *(layer.out_features for layer in layers)]
        shape = relu_architecture(sizes)
        facts = {"model": settings["model"], "seed": str(seed)}
        with replacing(snakemake.output.weights) as temporary:
            temporary.write_bytes(serialise_model(network, shape, facts))
