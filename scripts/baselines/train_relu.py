"""Step: train the network of rectified units that the comparison of attacks uses."""

from safetensors.torch import load_file
from torch import nn

from intriguing.baselines.relu import fit_relu, relu_architecture
from intriguing.data import to_pixels
from intriguing.models.evaluation import count_errors
from intriguing.models.files import serialise_model
from intriguing.workflow.files import replacing
from intriguing.workflow.step import progress, step_log


def run(train: str, sizes: list[int], epochs: int, seed: int) -> nn.Sequential:
    """Return the network.

    Args:
        train: File of training images and labels.
        sizes: Pixels, units of each hidden layer, classes.
        epochs: Passes over the images.
        seed: Decides initial weights and the order of the images.
    """
    stored = load_file(train)
    pixels = to_pixels(stored["images"]).flatten(1)
    track = lambda epochs: progress(epochs, "ReLU network")  # noqa: E731
    return fit_relu(pixels, stored["labels"], sizes, epochs, seed, track)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, sizes = settings["seed"], settings["sizes"]
    with step_log(snakemake, seed, settings["threads"]) as log:
        network = run(files.train, sizes, settings["epochs"], seed)
        test = load_file(files.test)
        counts = count_errors(network, to_pixels(test["images"]), test["labels"])
        log.info("test images: %s", counts)
        facts = {"model": settings["model"], "seed": str(seed)}
        with replacing(snakemake.output.weights) as temporary:
            content = serialise_model(network, relu_architecture(sizes), facts)
            temporary.write_bytes(content)
