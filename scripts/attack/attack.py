"""Step: make adversarial images for one network, and keep a record of each."""

from functools import partial

import pandas as pd
import torch
from safetensors.torch import load_file

from intriguing.attack import find_adversarial
from intriguing.attack.coarse import SEARCHES
from intriguing.attack.sampled import Search, Stored, attack_sample, random_sample
from intriguing.models.files import load_model
from intriguing.workflow.files import write_parquet, write_tensors
from intriguing.workflow.step import step_log


def run(
    settings: dict, seed: int, weights: str, images: str, finest: str | None
) -> Stored:
    """Attack images sampled by the seed; misclassified ones are kept.

    Args:
        settings: ``row`` of the attack sheet; ``images`` to sample; ``starts``,
            ``tolerance`` and ``iterations`` of the search.
        seed: Seed of images and targets.
        weights: The network.
        images: Images and labels of a data set.
        finest: Records of the fine search, for a coarser one; else None.
    """
    row, data = settings["row"], load_file(images)
    sample = random_sample(data["images"], data["labels"], settings["images"], seed)
    if finest:
        search = coarse_search(row, finest, len(sample.labels))
    else:
        how = {name: settings[name] for name in ("tolerance", "iterations")}
        how |= {"method": row["method"], "norm": row["norm"]}
        how |= {"labels": sample.labels, "first_weights": settings["starts"]}
        search = partial(find_adversarial, **how)
    return attack_sample(load_model(weights), sample, row["target"], seed, search)


def coarse_search(row: dict, finest: str, count: int) -> Search:
    """Return a coarser search, which starts from the weights of the fine one."""
    weights = torch.tensor(pd.read_parquet(finest)["weight"].to_numpy())[:count]
    return partial(SEARCHES[row["search"]], finest=weights, norm=row["norm"])


if __name__ == "__main__":
    seed, settings = int(snakemake.wildcards.seed), snakemake.params.settings
    files = snakemake.input
    with step_log(snakemake, seed, settings["threads"]):
        paths = files.weights, files.images, files.get("finest")
        tensors, records = run(settings, seed, *paths)
        write_tensors(snakemake.output.images, tensors)
        write_parquet(snakemake.output.records, records)
