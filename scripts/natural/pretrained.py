"""Step: one of torchvision's pretrained networks, in a file that loads like ours.

It also counts the photographs that the network misclassifies.
"""

from torch import nn

from intriguing.models.pretrained import pretrained_classifier
from intriguing.workflow.files import write_json
from intriguing.workflow.images import pretrained_weights
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import error_counts, read_images, write_network


def run(name: str) -> nn.Module:
    """Return torchvision's network of this name, from pixels in [0, 1] to logits."""
    return pretrained_classifier(name, pretrained_weights(name))


if __name__ == "__main__":
    settings, output = snakemake.params.settings, snakemake.output
    name = settings["name"]
    with step_log(snakemake, threads=settings["threads"]):
        network, shape = run(name), {"kind": "torchvision", "name": name}
        photographs = {"test": read_images(snakemake.input.images)}
        write_json(output.errors, error_counts(network, photographs))
        write_network(output.weights, network, shape, model=f"torchvision-{name}")
