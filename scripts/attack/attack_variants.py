"""Step: attack all ways to regularise, one seed, and feed each the others' images."""

import pandas as pd
import torch
from attack_test import run as attack_test
from safetensors.torch import save_file

from intriguing.models.files import load_model
from intriguing.tables.row_names import AMPLIFIED, CLEAN
from intriguing.transfer.amplification import amplify
from intriguing.transfer.predictions import predictions_on
from intriguing.workflow.files import replacing
from intriguing.workflow.step import progress, step_log

Tensors = dict[str, torch.Tensor]


def run(
    settings: dict, seed: int, weights: dict[str, str], test: str
) -> tuple[dict[str, tuple[Tensors, pd.DataFrame]], pd.DataFrame]:
    """Return the images made for each network, and every network's answers to all.

    Args:
        settings: As for the step ``attack_test``; ``amplified``, the root mean square
            to amplify to.
        seed: Decides images and targets; the same images for all networks.
        weights: File of each network.
        test: Test images and labels.
    """
    made = {
        name: attack_test(settings, seed, path, test)
        for name, path in progress(weights.items(), f"attack, seed {seed}")
    }
    some, _ = next(iter(made.values()))
    clean, known = some["clean"], (some["label"], some["index"], seed)
    sets = {CLEAN: clean}
    for name, (tensors, _) in made.items():
        found = tensors["adversarial"]
        sets[name] = found
        sets[f"{AMPLIFIED}{name}"] = amplify(clean, found, settings["amplified"])
    networks = {name: load_model(path) for name, path in weights.items()}
    return made, predictions_on(networks, sets, clean, *known)


if __name__ == "__main__":
    settings, seed = snakemake.params.settings, int(snakemake.wildcards.seed)
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, seed, settings["threads"]):
        weights = dict(zip(settings["networks"], files.weights, strict=True))
        made, table = run(settings, seed, weights, files.test)
        for place, (tensors, _) in zip(output.images, made.values(), strict=True):
            with replacing(place) as temporary:
                save_file(tensors, temporary)
        frames = [*(records for _, records in made.values()), table]
        places = [*output.records, output.answers]
        for place, frame in zip(places, frames, strict=True):
            with replacing(place) as temporary:
                frame.to_parquet(temporary, index=False)
