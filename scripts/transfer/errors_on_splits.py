"""Step: errors of networks trained on splits, on each split and on the test digits."""

import numpy as np

from intriguing.models.files import load_model
from intriguing.workflow.files import by_model, write_json
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import error_counts, read_images

Errors = dict[str, list[dict[str, dict[str, int]]]]
"""Misclassified and all images of each set, for each seed of each network."""


def run(
    weights: dict[str, list[str]], train: str, test: str, splits: dict[str, str]
) -> Errors:
    """Count each network's errors on undistorted images.

    ``weights`` has the files of each network's seeds, and ``splits`` the file of the
    indices of each split of the training images.
    """
    pixels, labels = read_images(train)
    rows = {name: np.loadtxt(path, dtype=np.int64) for name, path in splits.items()}
    sets = {name: (pixels[own], labels[own]) for name, own in rows.items()}
    sets["test"] = read_images(test)
    return {
        name: [error_counts(load_model(path), sets) for path in paths]
        for name, paths in progress(weights.items(), "errors")
    }


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        weights = by_model(settings["networks"], files.weights)
        splits = {name: files[name] for name in ("P1", "P2")}
        errors = run(weights, files.train, files.test, splits)
        write_json(snakemake.output[0], errors)
