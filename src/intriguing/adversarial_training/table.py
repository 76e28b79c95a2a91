"""Cells of the table ``adversarial-training``: error, distortion and transfer."""

from collections.abc import Mapping, Sequence

import pandas as pd

from intriguing.tables import rates
from intriguing.tables.row_names import AMPLIFIED


def variant_cells(
    counts: Mapping[str, Sequence[rates.Counts]], predictions: pd.DataFrame
) -> rates.Cells:
    """Return errors, distortions and fooling rates of the networks of all variants.

    The column of a network is its fooling rate: the share of the images that it
    classifies correctly when clean and misclassifies when perturbed. Rows of their own
    hold amplified perturbations. ``counts`` are of each seed of each network.
    """
    distortions = rates.distortions_by_row(predictions)
    fooled, cells = rates.fooling_rates(predictions), {}
    for row in [*counts, *(f"{AMPLIFIED}{name}" for name in counts)]:
        if row in counts:
            cells |= rates.error_cells(row, counts[row])
        cells |= rates.distortion_cells(row, distortions[row])
        cells |= {(row, column): fooled[row, column] for column in counts}
    return cells
