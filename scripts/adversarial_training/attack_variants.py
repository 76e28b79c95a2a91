"""Step: attack all variants, one seed, and feed each the others' images."""

from functools import partial

import pandas as pd
from safetensors.torch import load_file

from intriguing.attack import find_adversarial
from intriguing.attack.sampled import Stored, attack_sample, random_sample
from intriguing.models.files import load_model
from intriguing.models.perturbed import amplify, predictions_on
from intriguing.tables.row_names import AMPLIFIED, CLEAN
from intriguing.workflow.files import write_parquet, write_tensors
from intriguing.workflow.step import progress, step_log


def run(
    settings: dict, seed: int, weights: dict[str, str], test: str
) -> tuple[dict[str, Stored], pd.DataFrame]:
    """Return the images made for each network, and every network's predictions.

    Args:
        settings: As for the step ``attack``; ``amplified``, the distortion to amplify
            to.
        seed: Seed of images and targets; the same images for all networks.
        weights: File of each network.
        test: Test images and labels.
    """
    row, data = settings["row"], load_file(test)
    sample = random_sample(data["images"], data["labels"], settings["images"], seed)
    how = {name: settings[name] for name in ("tolerance", "iterations")}
    how |= {"method": row["method"], "norm": row["norm"]}
    how |= {"labels": sample.labels, "first_weights": settings["starts"]}
    search = partial(find_adversarial, **how)
    networks = {name: load_model(path) for name, path in weights.items()}
    made = {
        name: attack_sample(network, sample, row["target"], seed, search)
        for name, network in progress(networks.items(), f"attack, seed {seed}")
    }
    sets = {CLEAN: sample.images}
    for name, (tensors, _) in made.items():
        found = tensors["adversarial"]
        longer = amplify(sample.images, found, settings["amplified"])
        sets |= {name: found, f"{AMPLIFIED}{name}": longer}
    return made, predictions_on(networks, sets, *sample, seed)


if __name__ == "__main__":
    settings, seed = snakemake.params.settings, int(snakemake.wildcards.seed)
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, seed, settings["threads"]):
        weights = dict(zip(settings["networks"], files.weights, strict=True))
        made, predictions = run(settings, seed, weights, files.test)
        places = zip(output.images, output.records, made.values(), strict=True)
        for images, records, (tensors, frame) in places:
            write_tensors(images, tensors)
            write_parquet(records, frame)
        write_parquet(output.predictions, predictions)
