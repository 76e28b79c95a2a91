"""Step: train one convolutional network with one seed, and count its errors."""

from safetensors.torch import load_file
from torch import Tensor, nn

from intriguing.models.alexnet import ARCHITECTURES
from intriguing.models.architecture import Architecture
from intriguing.training.convolutional import Augmentation, fit_convolutional
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.files import write_json
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import error_counts, read_images, write_network

RECIPE = ("learning_rate", "epochs", "batch", "warmup")


def run(
    row: dict, seed: int, train: dict[str, Tensor]
) -> tuple[nn.Sequential, Architecture]:
    """Return the network and its architecture.

    Args:
        row: Of the sheet of convolutional networks.
        seed: Seed of initial weights and order of images.
        train: ``images`` and ``labels``.
    """
    images, labels = train["images"], train["labels"]
    classes = int(labels.max()) + 1
    scaled = {"classes": classes} if row["architecture"] == "alexnet-2012" else {}
    architecture = ARCHITECTURES[row["architecture"]](**scaled)
    network = fit_convolutional(
        architecture,
        images,
        labels,
        AdamRecipe(*(row[key] for key in RECIPE)),
        row["decay"],
        Augmentation(row["shift"], row["mirror"] == "yes"),
        seed,
        lambda epochs: progress(epochs, f"{row['model']}, seed {seed}"),
    )
    return network, architecture


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, row = int(snakemake.wildcards.seed), settings["row"]
    with step_log(snakemake, seed, settings["threads"]):
        network, shape = run(row, seed, load_file(files.train))
        facts = {"model": row["model"], "seed": str(seed)}
        write_network(snakemake.output.weights, network, shape, **facts)
        sets = {kind: read_images(files[kind]) for kind in ("train", "test")}
        write_json(snakemake.output.errors, error_counts(network, sets))
