"""Step: errors of networks trained on splits, on each part and on the test digits."""

import json
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from intriguing.data import to_pixels
from intriguing.models.evaluation import count_errors
from intriguing.models.files import load_model
from intriguing.workflow.files import write_text
from intriguing.workflow.step import progress, step_log

Errors = dict[str, list[dict[str, dict[str, int]]]]
"""Wrong and all images of each set, for each seed of each network."""


def run(
    weights: dict[tuple[str, int], str], digits: dict[str, str], parts: dict[str, str]
) -> Errors:
    """Count each network's errors, undistorted images only.

    Args:
        weights: File of each network and seed.
        digits: Files of images and labels: ``train`` and ``test``.
        parts: Index file of each part of the training images.
    """
    stored = {name: load_file(path) for name, path in digits.items()}
    pixels, labels = to_pixels(stored["train"]["images"]), stored["train"]["labels"]
    chosen = {name: np.loadtxt(path, dtype=np.int64) for name, path in parts.items()}
    sets = {name: (pixels[rows], labels[rows]) for name, rows in chosen.items()}
    sets["test"] = to_pixels(stored["test"]["images"]), stored["test"]["labels"]
    found: Errors = {}
    for (name, _), path in progress(weights.items(), "errors"):
        network = load_model(path)
        found.setdefault(name, []).append(
            {part: count_errors(network, *sets[part]) for part in sets}
        )
    return found


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    networks = [tuple(network) for network in settings["networks"]]
    with step_log(snakemake, threads=settings["threads"]):
        weights = dict(zip(networks, files.weights, strict=True))
        digits = {name: files[name] for name in ("train", "test")}
        found = run(weights, digits, {name: files[name] for name in ("P1", "P2")})
        text = json.dumps(found, indent=2) + "\n"
        write_text(Path(snakemake.output[0]), text)
