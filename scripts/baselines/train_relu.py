"""Step: train the network of rectified units that the comparison of attacks uses."""

from safetensors.torch import load_file
from torch import Tensor, nn

from intriguing.baselines.networks import relu_architecture
from intriguing.training.convolutional import Augmentation, fit_convolutional
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import error_counts, read_images, write_network


def run(
    train: dict[str, Tensor], sizes: list[int], recipe: dict, seed: int
) -> nn.Sequential:
    """Return the network.

    Args:
        train: ``images`` and ``labels``.
        sizes: Pixels, units of each hidden layer, classes.
        recipe: Settings of `AdamRecipe`.
        seed: Seed of initial weights and the order of the images.
    """
    return fit_convolutional(
        relu_architecture(sizes),
        train["images"],
        train["labels"],
        AdamRecipe(**recipe),
        0.0,
        Augmentation(),
        seed,
        lambda epochs: progress(epochs, "ReLU network"),
    )


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, sizes = settings["seed"], settings["sizes"]
    with step_log(snakemake, seed, settings["threads"]) as log:
        network = run(load_file(files.train), sizes, settings["recipe"], seed)
        log.info("%s", error_counts(network, {"test": read_images(files.test)}))
        facts = {"model": settings["model"], "seed": str(seed)}
        shape = relu_architecture(sizes)
        write_network(snakemake.output.weights, network, shape, **facts)
