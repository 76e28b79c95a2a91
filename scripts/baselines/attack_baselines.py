"""Step: other people's attacks and ours, in turns on the same images of a network."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # SciPy's own, before it is loaded

import pandas as pd
from safetensors.torch import load_file

from intriguing.baselines.attacks import all_attacks
from intriguing.baselines.comparison import compare
from intriguing.baselines.task import task_of
from intriguing.models.files import load_model
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import progress, step_log


def run(
    weights: str,
    images: str,
    count: int,
    rounds: int,
    left_out: list[str],
    targeted: bool,
    seed: int,
) -> pd.DataFrame:
    """Return every attack's distortion of every image, and its cost.

    Args:
        weights: The network.
        images: File of attacked images, for their clean ones and labels.
        count: How many of those that the network classifies correctly are attacked.
        rounds: Runs of each attack that is not slow.
        left_out: Names of attacks that do not run.
        targeted: Whether the attack has random target classes.
        seed: Decides the targets, as it did for the file.
    """
    model = load_model(weights)
    task, index = task_of(model, load_file(images), count, targeted, seed)
    attacks = [one for one in all_attacks(targeted) if one.name not in left_out]
    track = lambda runs: progress(runs, "")  # noqa: E731
    found = compare(model, task, attacks, rounds, track)
    return found.assign(index=index.numpy()[found["image"]])


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, settings["seed"], settings["threads"]):
        how = {key: settings[key] for key in ("count", "rounds", "left_out", "seed")}
        how["targeted"] = snakemake.wildcards.criterion == "targeted"
        table = run(files.weights, files.images, **how)
        write_parquet(snakemake.output[0], table)
