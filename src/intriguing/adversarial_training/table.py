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


def arm_cells(
    counts: Mapping[str, Sequence[Counts]], answers: pd.DataFrame
) -> tuple[Cells, Spreads]:
    """Return what each network errs on and resists, and whom its images fool.

    A column with the name of a network: the share of the images that it answers rightly
    when clean that it no longer does, perturbations as made or, in rows of their own,
    amplified.

    Args:
        counts: Wrong and all images of each set, for each seed of each network.
        answers: Every network's answer to every image.
    """
    lengths, rates = distortions_by_row(answers), fooling_rates(answers)
    cells, spreads = {}, {}
    for row in [*counts, *(f"{AMPLIFIED}{name}" for name in counts)]:
        if row in counts:
            cells |= error_cells(row, counts[row])
        mean, spread = distortion_cell((row, "distortion"), lengths[row])
        cells, spreads = cells | mean, spreads | spread
        cells |= {(row, column): rates[row, column] for column in counts}
    return cells, spreads
