"""Step: one of torchvision's pretrained networks, in a file that loads like ours."""

from torch import nn

from intriguing.errors import InputError
from intriguing.models.architecture import torchvision_classifier
from intriguing.workflow.images import pretrained_weights
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import write_network


def run(name: str) -> nn.Module:
    """Return the network, from pixels in [0, 1] to logits; it normalises them itself.

    Args:
        name: As torchvision has it, ``squeezenet1_0``.
    """
    weights = pretrained_weights(name)
    network = torchvision_classifier(name)
    try:
        network[1].load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"weights of {name} do not fit it: {reason}") from error
    return network


if __name__ == "__main__":
    name = snakemake.params.settings["name"]
    with step_log(snakemake):
        shape = {"kind": "torchvision", "name": name}
        facts = {"model": f"torchvision-{name}"}
        write_network(snakemake.output[0], run(name), shape, **facts)
