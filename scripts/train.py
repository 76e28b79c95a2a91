"""Step: train one network with one seed, and count its errors."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file

from intriguing import models, training
from intriguing.data import to_pixels
from intriguing.workflow.files import replacing, write_text
from intriguing.workflow.step import progress, step_log


def run(
    settings: dict,
    seed: int,
    digits: dict[str, Path],
    part: Path | None,
    weights: Path,
    errors: Path,
) -> None:
    """Write the network, and the wrong and all images of each set of digits.

    Args:
        settings: ``row`` of the model sheet; settings of the ``autoencoder``.
        seed: Decides initial weights and order of images.
        digits: Images and labels of ``train`` and ``test``.
        part: Index file of the training images to use; None for all.
        weights: The safetensors file to write.
        errors: The JSON file to write.
    """
    row, sets = (
        settings["row"],
        {name: load_file(path) for name, path in digits.items()},
    )
    pixels = {name: to_pixels(stored["images"]) for name, stored in sets.items()}
    chosen = torch.arange(len(pixels["train"]))
    if part is not None:
        chosen = torch.tensor([int(line) for line in part.read_text().split()])
    network = training.fit_network(
        row["family"],
        pixels["train"][chosen].flatten(1),
        sets["train"]["labels"][chosen],
        row["hidden"],
        row["decay"],
        training.AdamRecipe(
            row["learning_rate"], row["epochs"], row["batch"], row["warmup"]
        ),
        training.Sparsity(**settings["autoencoder"]),
        seed,
        lambda epochs: progress(epochs, f"{row['model']}, seed {seed}"),
    )
    counts = {
        n: models.count_errors(network, pixels[n], sets[n]["labels"]) for n in sets
    }
    shape = models.perceptron_architecture(network)
    facts = {"model": row["model"], "seed": str(seed)}
    with replacing(weights) as temporary:
        temporary.write_bytes(models.serialise_model(network, shape, facts))
    write_text(errors, json.dumps(counts, indent=2) + "\n")


if __name__ == "__main__":
    seed, settings = int(snakemake.wildcards.seed), snakemake.params.settings
    files, part = snakemake.input, snakemake.input.get("part")
    with step_log(snakemake, seed, settings["threads"]):
        run(
            settings,
            seed,
            {name: Path(files[name]) for name in ("train", "test")},
            Path(part) if part else None,
            Path(snakemake.output.weights),
            Path(snakemake.output.errors),
        )
