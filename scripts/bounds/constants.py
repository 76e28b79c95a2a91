"""Step: bounds of the Lipschitz constant of one network."""

from intriguing.bounds.records import constants
from intriguing.models.files import load_model
from intriguing.workflow.files import write_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images


def run(weights: str, test: Images, seed: int) -> dict[str, float]:
    """Return the bounds by name, from above and from below.

    Args:
        weights: File of the network.
        test: Test images, at which gradients are computed.
        seed: Of the search for steep images in the box.
    """
    return constants(load_model(weights), test[0], seed)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    seed, threads = settings["seed"], settings["threads"]
    with step_log(snakemake, seed, threads):
        found = run(files.weights, read_images(files.test), seed)
        write_json(snakemake.output[0], found)
