"""Step: the Lipschitz constant of each layer of a network, and cheaper estimates."""

from intriguing.models.files import load_model
from intriguing.spectra.summary import summary
from intriguing.workflow.files import write_json
from intriguing.workflow.step import step_log


def run(weights: str, shape: tuple[int, int, int]) -> dict:
    """Return layers in their order, and bounds of the network's Lipschitz constant.

    Args:
        weights: File of the network.
        shape: Channels, height and width of its images.
    """
    return summary(load_model(weights), shape)


if __name__ == "__main__":
    settings = snakemake.params.settings
    with step_log(snakemake, threads=settings["threads"]):
        found = run(snakemake.input.weights, tuple(settings["shape"]))
        write_json(snakemake.output[0], found)
