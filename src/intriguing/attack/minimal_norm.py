"""Minimum-norm perturbations compared with those of the paper's method.

The paper asks for the minimum and says that its method only approximates it. The two
methods are compared image by image: same network, same image, same target.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from intriguing.stats.intervals import mean_interval, share_interval
from intriguing.tables.rates import Cells, distortions
from intriguing.tables.tidy import Kinds

SHORTER = 1e-4
"""Relative difference in length from which an image counts as shorter."""
TIED = 2
"""Classes tied with the target at which no penalty method can stop."""

# The same numbers as in `attack.minimal`, on whose code a table must not depend.
PAPER_START, SMOOTHED_START, COLD_START = -1, -2, -3
"""Numbers of the starts: the paper's solution, the solution for a smoothed network, and
the clean image without the smoothed network's help."""

KINDS: Kinds = {"ratio": "ratio"}
"""Kind of the columns whose name does not tell it."""


def length_cells(
    model: str, minimal: Sequence[pd.DataFrame], paper: Sequence[pd.DataFrame]
) -> Cells:
    """Return a network's row of the table ``minimal``, except for transfer.

    Args:
        model: Name of the network.
        minimal: Records of each seed, with ``tied``, ``converged`` and ``start``.
        paper: Records of the paper's method on the same images.
    """
    ratio = [length_ratio(*pair) for pair in zip(minimal, paper, strict=True)]
    start = [own["start"].to_numpy() for own in minimal]
    hits = {
        "shorter": [one < 1 - SHORTER for one in ratio],
        "ties": [own["tied"].to_numpy() >= TIED for own in minimal],
        "won-by-clean": [(one == 0) | (one == COLD_START) for one in start],
        "won-by-smoothed": [one == SMOOTHED_START for one in start],
        "won-by-start-image": [one > 0 for one in start],
        "won-by-paper": [one == PAPER_START for one in start],
        "unconverged": [~own["converged"].to_numpy() for own in minimal],
    }
    means = {
        "distortion-lbfgs": mean_interval(distortions(paper)),
        "distortion-minimal": mean_interval(distortions(minimal)),
        "ratio": mean_interval(ratio),
    }
    shares = {column: share_interval(one) for column, one in hits.items()}
    return {(model, column): found for column, found in (means | shares).items()}


def length_ratio(minimal: pd.DataFrame, paper: pd.DataFrame) -> Float[np.ndarray, " n"]:
    """Return the ratio of the distortions, for images on which both succeed."""
    both = minimal["reached"] & paper["reached"]
    first, second = (
        own.loc[both, "distortion"].to_numpy(np.float64) for own in (minimal, paper)
    )
    return first / second
