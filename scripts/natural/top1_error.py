"""Step: count the images that a network misclassifies."""

from safetensors.torch import load_file

from intriguing.data import to_pixels
from intriguing.models.files import load_model
from intriguing.workflow.files import write_json
from intriguing.workflow.step import progress, step_log

BATCH = 50  # photographs


def run(weights: str, path: str) -> dict[str, dict[str, int]]:
    """Return ``wrong`` and ``images`` of the set ``test``, given network and images."""
    network, stored = load_model(weights), load_file(path)
    wrong, batches = 0, (stored[key].split(BATCH) for key in ("images", "labels"))
    for images, labels in progress([*zip(*batches, strict=True)], "top-1 error"):
        wrong += int((network(to_pixels(images)).argmax(1) != labels).sum())
    return {"test": {"wrong": wrong, "images": len(stored["labels"])}}


if __name__ == "__main__":
    files = snakemake.input
    with step_log(snakemake, threads=snakemake.params.settings["threads"]):
        write_json(snakemake.output[0], run(files.weights, files.images))
