"""Step: how many images a network gives another class than their label."""

import json
from pathlib import Path

from safetensors.torch import load_file

from intriguing.data import to_pixels
from intriguing.models.files import load_model
from intriguing.workflow.files import write_text
from intriguing.workflow.step import progress, step_log

BATCH = 50  # photographs


def run(weights: str, images: str) -> dict[str, dict[str, int]]:
    """Return ``wrong`` and ``images`` of the set ``test``.

    Args:
        weights: File of the network.
        images: File of images and labels.
    """
    network, stored = load_model(weights), load_file(images)
    wrong, parts = 0, stored["images"].split(BATCH)
    for part, labels in progress(
        zip(parts, stored["labels"].split(BATCH), strict=True), "recognise"
    ):
        wrong += int((network(to_pixels(part)).argmax(1) != labels).sum())
    return {"test": {"wrong": wrong, "images": len(stored["labels"])}}


if __name__ == "__main__":
    files = snakemake.input
    with step_log(snakemake, threads=snakemake.params.settings["threads"]):
        counts = run(files.weights, files.images)
        write_text(Path(snakemake.output[0]), json.dumps(counts, indent=2) + "\n")
