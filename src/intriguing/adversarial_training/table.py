"""Cells of the table ``adversarial-training``: error, distortion and transfer."""

from collections.abc import Mapping, Sequence

import pandas as pd

from intriguing.tables.rates import (
    Cells,
    Counts,
    Spreads,
    distortion_cell,
    distortions_by_row,
    error_cells,
    fooling_rates,
)
from intriguing.tables.row_names import AMPLIFIED


def variant_cells(
    counts: Mapping[str, Sequence[Counts]], predictions: pd.DataFrame
) -> tuple[Cells, Spreads]:
    """Return errors, distortions and fooling rates of the networks of all variants.

    The column of a network is its fooling rate: the share of the images that it
    classifies correctly when clean and misclassifies when perturbed. Rows of their own
    hold amplified perturbations.

    Args:
        counts: Wrong and all images of each set, for each seed of each network.
        predictions: Of every network for every image.
    """
    distortions, rates = distortions_by_row(predictions), fooling_rates(predictions)
    cells: Cells = {}
    spreads: Spreads = {}
    for row in [*counts, *(f"{AMPLIFIED}{name}" for name in counts)]:
        if row in counts:
            cells |= error_cells(row, counts[row])
        mean, spread = distortion_cell((row, "distortion"), distortions[row])
        cells, spreads = cells | mean, spreads | spread
        cells |= {(row, column): rates[row, column] for column in counts}
    return cells, spreads
