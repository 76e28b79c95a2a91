"""Step: codes of the hidden layers of one network, and perturbations through them."""

import pandas as pd
from torch import nn

from intriguing.models.files import load_model
from intriguing.sae.measure import ALL, CODE, CodeSettings, measure_network
from intriguing.training.untrained import untrained_twin
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images


def run(
    settings: dict,
    seeds: tuple[int, int],
    networks: tuple[nn.Sequential, nn.Sequential],
    train: Images,
    test: Images,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the quality of the codes, and what perturbations do to them.

    Args:
        settings: Of the ``code``, the number of ``images``.
        seeds: Of the two networks.
        networks: The one that is examined, and one with another seed.
        train: Training images and labels.
        test: Test images and labels.
    """
    code = CodeSettings(**settings["code"])
    first, second = networks
    twins = untrained_twin(first, seeds[0]), untrained_twin(second, seeds[1])
    frames = []
    for trained, pair, kinds in ((True, networks, ALL), (False, twins, (CODE,))):
        how = code, kinds, settings["images"], seeds[0]
        made = measure_network(pair, train, test, *how)
        facts = {"trained": trained, "seed": seeds[0]}
        frames.append([frame.assign(**facts) for frame in made])
    qualities, changes = zip(*frames, strict=True)
    return pd.concat(qualities), pd.concat(changes)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    name, seed = snakemake.wildcards.network, int(snakemake.wildcards.seed)
    with step_log(snakemake, seed, settings["threads"]):
        networks = load_model(files.weights[0]), load_model(files.weights[1])
        sets = read_images(files.train), read_images(files.test)
        seeds = (seed, settings["other"][str(seed)])
        frames = run(settings, seeds, networks, *sets)
        for path, frame in zip(snakemake.output, frames, strict=True):
            write_parquet(path, frame.assign(network=name))
