"""The tables ``sae`` and ``sae-perturbations``."""

from math import inf

import pandas as pd

from intriguing.sae.measure import CODE, FROZEN, LARGER
from intriguing.sae.perturbations import ADVERSARIAL, NATURAL, RANDOM, SIGNS
from intriguing.stats.clusters import jackknife_interval
from intriguing.stats.intervals import Interval, over_seeds
from intriguing.tables.rates import Cell
from intriguing.tables.row_names import LAYER, layer_row
from intriguing.tables.tidy import Kinds

Cells = dict[Cell, Interval | None]

QUALITIES = ("fvu", "dead", "accuracy", "spliced", "agreement")
QUALITIES += ("purity-latents", "purity-units", "purity-random")
PARTS = ("uncarried", "uncarried-size")
CHANGES = ("switched", "jaccard", "participation")
COSINES = ("cos-latent", "cos-neuron", "cos-component", "cos-means")
ABOVE = "above-random"
INTERFERENCE = ("interference", ABOVE)
MEASURED = (*PARTS, "change", *CHANGES, *COSINES, "energy", *INTERFERENCE)
"""Columns of a perturbation."""
KINDS: Kinds = {
    **dict.fromkeys(("agreement", *COSINES, "jaccard", "interference"), "ratio"),
    **dict.fromkeys(("switched", "participation", "change"), "number"),
    **dict.fromkeys(("ratio", f"ratio-{LARGER}", "ratio-size"), "number"),
}


LEAST_IMAGES = 30
"""Fewer perturbations of a seed have no mean."""
RANGES = {
    **dict.fromkeys((*QUALITIES, *INTERFERENCE[1:], "jaccard", "energy"), (0, 1)),
    **dict.fromkeys((*COSINES, INTERFERENCE[0]), (-1, 1)),
    **dict.fromkeys(("fvu", "switched", "participation", PARTS[1]), (0, inf)),
}
"""What the quantities can be; the others are signed."""


def ratio_over_seeds(above: pd.Series, below: pd.Series) -> Interval | None:
    """Return the ratio of two means over seeds, with the jackknife's interval.

    None for fewer than three seeds with both, and where the denominator may be zero:
    its own interval contains it.

    Args:
        above: Numerator of each seed, indexed by seed.
        below: Denominator of each seed.
    """
    both = pd.DataFrame({"above": above, "below": below}).dropna()
    denominator = over_seeds(both["below"].tolist())
    if denominator is None or denominator.low <= 0 <= denominator.high:
        return None
    without = (both.sum() - both)["above"] / (both.sum() - both)["below"]
    ratio = float(both["above"].sum() / both["below"].sum())
    return jackknife_interval(ratio, without.tolist())


def _mean(own: pd.DataFrame, column: str) -> Interval | None:
    """Return the mean of a column over seeds, within what it can be."""
    found = over_seeds(own[column].tolist())
    return found and found.within(*RANGES.get(column, (-inf, inf)))


def _with_enough_images(changes: pd.DataFrame) -> pd.DataFrame:
    """Return the changes, those of seeds with few perturbations as NaN."""
    few = changes["images"] < LEAST_IMAGES
    return changes.assign(**changes[[*MEASURED]].mask(few))


def code_cells(qualities: pd.DataFrame, changes: pd.DataFrame) -> Cells:
    """Return the table ``sae``: the quality of each layer's code, and its verdict on r.

    ``ratio`` is the share of the margin's change that the code does not carry, of
    adversarial perturbations over natural differences; ``ratio-larger`` the same for a
    larger code, ``ratio-size`` for sizes image by image.

    Args:
        qualities: One row for each ``network``, ``trained``, ``seed``, ``layer`` and
            ``code``.
        changes: The same for each ``perturbation``.
    """
    cells: Cells = {}
    enough = _with_enough_images(changes)
    by_layer = {key: own for key, own in enough.groupby(LAYER, sort=False)}
    for key, own in qualities.groupby(LAYER, sort=False):
        row, code = layer_row(*key), own[own["code"] == CODE]
        for name in QUALITIES:
            cells[row, name] = _mean(code, name)
        for other in (FROZEN, LARGER):
            cells[row, f"fvu-{other}"] = _mean(own[own["code"] == other], "fvu")
        changed = by_layer[key]
        cells[row, "ratio"] = _ratio(changed, CODE, PARTS[0])
        cells[row, f"ratio-{LARGER}"] = _ratio(changed, LARGER, PARTS[0])
        cells[row, "ratio-size"] = _ratio(changed, CODE, PARTS[1])
    return cells


def _ratio(changes: pd.DataFrame, code: str, column: str) -> Interval | None:
    """Return adversarial over natural, in one column for one code."""
    own = changes[changes["code"] == code].set_index("seed")
    above, below = (
        own.loc[own["perturbation"] == name, column] for name in (ADVERSARIAL, NATURAL)
    )
    return ratio_over_seeds(above, below)


def perturbation_cells(changes: pd.DataFrame) -> Cells:
    """Return the table ``sae-perturbations``: each perturbation through each layer."""
    cells: Cells = {}
    enough = _with_enough_images(changes)
    for (*key, name), own in enough.groupby([*LAYER, "perturbation"], sort=False):
        row = f"{layer_row(*key)}:{name}"
        code = own[own["code"] == CODE]
        for column in MEASURED:
            cells[row, column] = _mean(code, column)
        for other in (FROZEN, LARGER):
            compared = own[own["code"] == other]
            for column in (PARTS[0], ABOVE):
                cells[row, f"{column}-{other}"] = _mean(compared, column)
        if name in (RANDOM, SIGNS):  # a ratio of two numbers near zero
            signed = [PARTS[0], *(f"{PARTS[0]}-{other}" for other in (FROZEN, LARGER))]
            cells |= {(row, column): None for column in signed}
    return cells
