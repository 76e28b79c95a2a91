"""Where attacks end behind max-pooling: at the optimum, in a local minimum, or neither.

`pooled` computes the optimum of a small network.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from torch import nn

from intriguing.baselines.comparison import Attack, CountedImages, checked_distortions
from intriguing.baselines.pooled import pooled_network, smallest
from intriguing.baselines.summary import mean_of, point
from intriguing.baselines.task import Task
from intriguing.stats.intervals import rate_interval
from intriguing.tables.rates import Cells
from intriguing.tables.tidy import Kinds, own_table

KINDS: Kinds = {
    "ratio-to-optimum-mean": "ratio",
    "ratio-to-optimum-worst": "ratio",
    "at-optimum": "rate",
    "local-minimum": "rate",
    "optimum-gap-worst": "number",
}
SAME = 1e-3
"""Relative difference below which two lengths count as one minimum, as for `minimal`:
the margin that attacks keep costs less."""
NEAR = 0.01
"""Largest change of a pixel, as a share of the length, in the search for a shorter
perturbation nearby."""


def attack_ends(
    model: nn.Module, task: Task, attacks: Sequence[Attack]
) -> pd.DataFrame:
    """Return where each attack on a `pooled_network` ends, beside the optimum.

    Returns:
        One row an attack and image: ``attack``, ``image``; the L2 ``length``, infinite
        on failure, and that of the shortest perturbation ``nearby``; and the length of
        the ``optimum`` with its lower bound, ``lower``.
    """
    network = pooled_network(model, task.images.shape[1:])
    clean = task.images.flatten(1).double().numpy()
    results = [attack.function(model, task) for attack in attacks]
    images = [one.images if isinstance(one, CountedImages) else one for one in results]
    reached = [checked_distortions(model, task, one).isfinite() for one in images]
    rows = []
    for i, target in enumerate(task.classes.tolist()):
        ends = [one[i].flatten().double().numpy() for one in images]
        lengths = [
            float(np.linalg.norm(end - clean[i])) if success[i] else np.inf
            for end, success in zip(ends, reached, strict=True)
        ]
        best = smallest(network, clean[i], target, ends[lengths.index(min(lengths))])
        optimum = best.length, best.lower
        for attack, end, length in zip(attacks, ends, lengths, strict=True):
            near = np.inf
            if length < np.inf:
                reach = NEAR * length
                near = smallest(network, clean[i], target, end, reach).length
            rows.append((attack.name, i, length, near, *optimum))
    columns = ["attack", "image", "length", "nearby", "optimum", "lower"]
    return pd.DataFrame(rows, columns=columns)


def pooling_table(ends: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy table ``peers-pooling`` of `attack_ends`, one row an attack."""
    cells: Cells = {}
    for attack, own in ends.groupby("attack", sort=False):
        ratio = (own["length"] / own["optimum"]).to_numpy()
        local = own["nearby"] > own["length"] * (1 - SAME)
        local &= np.isfinite(own["length"])
        found = {
            "ratio-to-optimum-mean": mean_of(ratio),
            "ratio-to-optimum-worst": point(ratio.max(), len(own)),
            "at-optimum": rate_interval([int((ratio < 1 + SAME).sum())], [len(own)]),
            "local-minimum": rate_interval([int(local.sum())], [len(own)]),
            "optimum-gap-worst": point((1 - own["lower"] / own["optimum"]).max()),
        }
        cells |= {(str(attack), column): cell for column, cell in found.items()}
    return own_table(cells)
