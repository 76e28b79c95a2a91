"""Step: attack all variants, one seed, and feed each the others' images."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
from safetensors.torch import load_file

from intriguing.attack import find_adversarial
from intriguing.attack.sampled import Stored, attack_sample, random_sample
from intriguing.models.perturbed import amplify, predictions_on
from intriguing.tables.row_names import AMPLIFIED, CLEAN
from intriguing.workflow.files import write_parquet, write_tensors
from intriguing.workflow.networks import read_networks
from intriguing.workflow.step import progress, step_log


def run(
    settings: dict, seed: int, weights: Sequence[str], test: str
) -> tuple[list[Stored], pd.DataFrame]:
    """Return the images made for each network, and every network's predictions.

    ``settings`` are those of the step ``attack``, the names of the ``networks``, and
    ``amplified``, the distortion to amplify to. All networks have the same images.
    """
    row, data = settings["row"], load_file(test)
    sample = random_sample(data["images"], data["labels"], settings["images"], seed)
    how = {name: settings[name] for name in ("tolerance", "iterations")}
    how |= {"method": row["method"], "norm": row["norm"]}
    how |= {"labels": sample.labels, "first_weights": settings["starts"]}
    search = partial(find_adversarial, **how)
    networks = read_networks(settings["networks"], weights)
    stored, sets = [], {CLEAN: sample.images}
    for name, network in progress(networks.items(), f"attack, seed {seed}"):
        stored.append(attack_sample(network, sample, row["target"], seed, search))
        found = stored[-1][0]["adversarial"]
        longer = amplify(sample.images, found, settings["amplified"])
        sets |= {name: found, f"{AMPLIFIED}{name}": longer}
    known = {"seed": seed, "label": sample.labels, "index": sample.index}
    return stored, predictions_on(networks, sets, sample.images, known)


if __name__ == "__main__":
    settings, seed = snakemake.params.settings, int(snakemake.wildcards.seed)
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, seed, settings["threads"]):
        stored, predictions = run(settings, seed, files.weights, files.test)
        for i, (tensors, records) in enumerate(stored):
            write_tensors(output.images[i], tensors)
            write_parquet(output.records[i], records)
        write_parquet(output.predictions, predictions)
