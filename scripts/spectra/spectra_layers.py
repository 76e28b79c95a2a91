"""Step: Lipschitz constants of AlexNet from a file that may lack some layers."""

import logging

from intriguing.models.pretrained import alexnet_from_layers
from intriguing.spectra.summary import summary
from intriguing.workflow.files import write_json
from intriguing.workflow.images import read_layers
from intriguing.workflow.step import step_log

SHAPE = (3, 227, 227)


def run(weights: str, log: logging.Logger) -> dict:
    """Return the layers as the step ``spectra`` does; products only of whole networks.

    Args:
        weights: Name of the file.
        log: Is told which layers are missing.
    """
    network, _ = alexnet_from_layers(read_layers(weights))
    found = summary(network, SHAPE)
    for layer in found["layers"]:
        if layer["upper"] is None:
            log.warning(
                "%s lacks %s: its norm, the product and predictions are not available",
                weights,
                layer["name"],
            )
    return found


if __name__ == "__main__":
    settings = snakemake.params.settings
    with step_log(snakemake, threads=settings["threads"]) as log:
        found = run(settings["weights"], log)
        write_json(snakemake.output[0], found)
