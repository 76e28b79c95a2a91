"""Step: try one setting of a variant on images held out of training."""

from intriguing.adversarial_training.fit import Variant, fit_variant
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.files import write_json
from intriguing.workflow.step import progress, step_log
from intriguing.workflow.tensors import Images, error_counts, read_images


def run(
    settings: dict, seed: int, name: str, train: Images
) -> dict[str, dict[str, int]]:
    """Return misclassified and all images, of those trained on and those held out.

    Test images play no part.

    Args:
        settings: As for the step ``train_variant``; ``held_out``, the share held out.
        seed: Seed of all that is random.
        name: Of the setting, to show progress.
        train: Training images and labels.
    """
    pixels, labels = train
    kept = len(labels) - round(settings["held_out"] * len(labels))
    variant, recipe = Variant(**settings["variant"]), AdamRecipe(**settings["recipe"])
    track = lambda epochs: progress(epochs, name)  # noqa: E731
    how = settings["hidden"], variant, recipe, seed, track
    network = fit_variant(pixels[:kept].flatten(1), labels[:kept], *how)
    sets = {
        "train": (pixels[:kept], labels[:kept]),
        "held-out": (pixels[kept:], labels[kept:]),
    }
    return error_counts(network, sets)


if __name__ == "__main__":
    settings, seed = snakemake.params.settings, int(snakemake.wildcards.seed)
    with step_log(snakemake, seed, settings["threads"]):
        train = read_images(snakemake.input.train)
        counts = run(settings, seed, snakemake.wildcards.setting, train)
        write_json(snakemake.output[0], counts)
