"""Step: train rectified networks of one depth, and bound their Lipschitz constants."""

import pandas as pd

from intriguing.bounds.compact import proofs
from intriguing.bounds.network import fully_connected
from intriguing.bounds.records import constants
from intriguing.models.architecture import build
from intriguing.models.evaluation import count_errors
from intriguing.training.rectified import fit_classifier, rectified_architecture
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import Images, read_images

WIDTH, CLASSES = 100, 10
TEST_IMAGES = 2_000
"""Images at which gradients are computed."""


def run(
    depth: int, settings: dict, train: Images, test: Images
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a row for each seed with test error and bounds, and one for each proof.

    Args:
        depth: Hidden layers.
        settings: ``seeds`` of initial weights and the order of the images, and how
            many training images are used as ``subset``.
        train: Training images.
        test: Test images.
    """
    pixels, labels = (part[: settings["subset"]] for part in train)
    sizes = [pixels[0].numel(), *[WIDTH] * depth, CLASSES]
    rows, proved = [], []
    for seed in progress(settings["seeds"], f"networks of {depth} hidden layers"):
        network = build(rectified_architecture(sizes))
        fit_classifier(network, pixels, labels, seed)
        errors = count_errors(network, *test)
        facts = constants(network, test[0][:TEST_IMAGES], seed)
        share = errors["wrong"] / errors["images"]
        named = {"depth": depth, "seed": seed}
        rows.append({**named, "error": share, **facts})
        found = proofs(fully_connected(network).weights, 1.0, facts)
        proved += [named | proof._asdict() for proof in found]
    return pd.DataFrame(rows), pd.DataFrame(proved)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        sets = (read_images(path) for path in (files.train, files.test))
        depth = int(snakemake.wildcards.depth)
        for path, frame in zip(
            snakemake.output, run(depth, settings, *sets), strict=True
        ):
            write_parquet(path, frame)
