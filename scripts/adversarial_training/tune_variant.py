"""Step: try one setting of a way to regularise on images held out of training."""

import json
from pathlib import Path

from safetensors.torch import load_file

from intriguing.adversarial_training.fit import Variant, fit_variant
from intriguing.data import to_pixels
from intriguing.models.evaluation import count_errors
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.files import write_text
from intriguing.workflow.step import progress, step_log


def run(settings: dict, seed: int, name: str, train: str) -> dict[str, dict[str, int]]:
    """Return wrong and all images, of those trained on and of those held out.

    Test images play no part.

    Args:
        settings: As for the step ``train_variant``; ``held_out``, the share held out.
        seed: Decides all that is drawn.
        name: Of the setting, to show progress.
        train: Training images and labels.
    """
    stored = load_file(train)
    pixels, labels = to_pixels(stored["images"]).flatten(1), stored["labels"]
    kept = len(labels) - round(settings["held_out"] * len(labels))
    variant = Variant(**settings["variant"])
    track = lambda epochs: progress(epochs, name)  # noqa: E731
    how = settings["hidden"], variant, AdamRecipe(**settings["recipe"]), seed, track
    network = fit_variant(pixels[:kept], labels[:kept], *how)
    return {
        "train": count_errors(network, pixels[:kept], labels[:kept]),
        "held-out": count_errors(network, pixels[kept:], labels[kept:]),
    }


if __name__ == "__main__":
    settings, seed = snakemake.params.settings, int(snakemake.wildcards.seed)
    with step_log(snakemake, seed, settings["threads"]):
        counts = run(settings, seed, snakemake.wildcards.setting, snakemake.input.train)
        write_text(Path(snakemake.output[0]), json.dumps(counts, indent=2) + "\n")
