"""Step: where attacks end behind max-pooling, in a network with known optima."""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # SciPy's own, before it is loaded
import pandas as pd
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import avg_pool2d

from intriguing.baselines.attacks import all_attacks
from intriguing.baselines.networks import pooled_architecture
from intriguing.baselines.pooling import KINDS, attack_ends, pooling_table
from intriguing.baselines.task import task_of
from intriguing.training.convolutional import Augmentation, fit_convolutional
from intriguing.training.loop import AdamRecipe
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

POOL = 256
"""Images among which some are attacked; attacks may start from the others."""


def run(
    train: dict[str, Tensor], network: dict, names: list[str], count: int, seed: int
) -> pd.DataFrame:
    """Return the tidy table ``peers-pooling``.

    Args:
        train: ``images``, of which the network takes means of 4 x 4 pixels; ``labels``.
        network: ``channels`` of its convolution, and the ``recipe`` of its training.
        names: The attacks.
        count: How many images are attacked.
        seed: Seed of the network and the targets.
    """
    small, labels = avg_pool2d(train["images"].float(), 4).byte(), train["labels"]
    architecture = pooled_architecture(network["channels"])
    how = AdamRecipe(**network["recipe"]), 0.0, Augmentation(), seed
    model = fit_convolutional(architecture, small, labels, *how)
    stored = {"clean": small[:POOL] / 255, "label": labels[:POOL]}
    stored["index"] = torch.arange(POOL)
    task, _ = task_of(model, stored, count, True, seed)
    attacks = [attack for attack in all_attacks(True) if attack.name in names]
    return pooling_table(attack_ends(model, task, attacks))


if __name__ == "__main__":
    settings = dict(snakemake.params.settings)
    threads, train = settings.pop("threads"), load_file(snakemake.input.train)
    with step_log(snakemake, settings["seed"], threads):
        table = run(train, **settings)
        title = "Where attacks end behind max-pooling"
        write_table(table, snakemake.output.peers_pooling, title, KINDS)
