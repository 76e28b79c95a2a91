"""Step: one of torchvision's pretrained networks, in a file that loads like ours."""

from intriguing.errors import InputError
from intriguing.models.architecture import torchvision_classifier
from intriguing.models.files import serialise_model
from intriguing.workflow.files import replacing
from intriguing.workflow.images import pretrained_weights
from intriguing.workflow.step import step_log


def run(name: str) -> bytes:
    """Return the network's file: pixels in [0, 1] to logits, normalisation inside.

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
    return serialise_model(
        network, {"kind": "torchvision", "name": name}, {"model": f"torchvision-{name}"}
    )


if __name__ == "__main__":
    with step_log(snakemake):
        content = run(snakemake.params.settings["name"])
        with replacing(snakemake.output[0]) as temporary:
            temporary.write_bytes(content)
