"""Step: train networks of the designed experiment in batches, and measure them."""

import logging

import pandas as pd
from safetensors.torch import load_file

from intriguing.data import to_pixels
from intriguing.smoothness.design import Setting
from intriguing.smoothness.measures import VARIANCE, measured
from intriguing.smoothness.subspaces import confined_distances
from intriguing.smoothness.training import batches, relabelled, train
from intriguing.stats.components import leading_components
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import step_log

REFERENCES = 10_000
"""Training images from which the principal components are computed."""


def run(how: dict, part: int, train_file: str, test_file: str) -> pd.DataFrame:
    """Return a row for each network: setting, seed, measures.

    Args:
        how: ``images``, ``extremes``, ``seeds``, ``steps``, ``attacked``, ``starts``
            and ``parts``, the number of jobs.
        part: Which of the jobs this is, from 0.
        train_file: Training images.
        test_file: Test images.
    """
    digits, test = load_file(train_file), load_file(test_file)
    images, labels = digits["images"].flatten(1), digits["labels"].long()
    components = leading_components(images[:REFERENCES].float() / 255, VARIANCE)
    shown = to_pixels(test["images"][: how["attacked"]])
    truth = test["labels"][: how["attacked"]].long()
    rows = []
    for members in batches(how["images"], how["extremes"], how["seeds"])[
        part :: how["parts"]
    ]:
        logging.info("%d networks like %s", len(members), members[0].setting)
        classes = members[0].setting.classes
        own = relabelled(images, labels, classes)
        stack = train(members, images, own, how["steps"])
        for place, (setting, seed) in enumerate(members):
            network = stack.network(place)
            facts = measured(network, setting, shown, truth, components, how["starts"])
            if setting == Setting(how["extremes"][1]):
                facts |= confined_distances(network, shown, truth, components, seed)
            rows.append({**setting._asdict(), "seed": seed, **facts})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    given, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=given["threads"]):
        part = int(snakemake.wildcards.part)
        write_parquet(snakemake.output[0], run(given, part, *files))
