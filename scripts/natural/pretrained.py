"""Step: one of torchvision's pretrained networks, in a file that loads like ours."""

from torch import nn

from intriguing.models.pretrained import pretrained_classifier
from intriguing.workflow.images import pretrained_weights
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import write_network


def run(name: str) -> nn.Module:
    """Return torchvision's network of this name, from pixels in [0, 1] to logits."""
    return pretrained_classifier(name, pretrained_weights(name))


if __name__ == "__main__":
    name = snakemake.params.settings["name"]
    with step_log(snakemake):
        shape = {"kind": "torchvision", "name": name}
        facts = {"model": f"torchvision-{name}"}
        write_network(snakemake.output[0], run(name), shape, **facts)
