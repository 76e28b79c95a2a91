"""The tables ``sae`` and ``sae-perturbations``."""

import pandas as pd

from intriguing.sae.measure import CODE, FROZEN, LARGER
from intriguing.sae.perturbations import ADVERSARIAL, NATURAL, RANDOM, SIGNS
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
KINDS: Kinds = {
    **dict.fromkeys(("agreement", *COSINES, "jaccard", "interference"), "ratio"),
    **dict.fromkeys(("switched", "participation", "change"), "number"),
    **dict.fromkeys(("ratio", f"ratio-{LARGER}", "ratio-size"), "number"),
}


def ratio_over_seeds(above: pd.Series, below: pd.Series) -> Interval | None:
    """Return the ratio of two means over seeds; None for fewer than three seeds.

    The interval is Student's for the jackknife's pseudo-values, one for each seed.
    The ratio in the middle is corrected for the bias of a ratio.

    Args:
        above: Numerator of each seed, indexed by seed.
        below: Denominator of each seed.
    """
    seeds = len(above)
    if seeds < 3:
        return None
    whole = above.mean() / below.mean()
    without = (above.sum() - above) / (below.sum() - below)
    return over_seeds((seeds * whole - (seeds - 1) * without).tolist())


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
    by_layer = {key: own for key, own in changes.groupby(LAYER, sort=False)}
    for key, own in qualities.groupby(LAYER, sort=False):
        row, code = layer_row(*key), own[own["code"] == CODE]
        for name in QUALITIES:
            cells[row, name] = over_seeds(code[name].tolist())
        for other in (FROZEN, LARGER):
            fvu = own.loc[own["code"] == other, "fvu"].tolist()
            cells[row, f"fvu-{other}"] = over_seeds(fvu)
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
    columns = [*PARTS, "change", *CHANGES, *COSINES, "energy", *INTERFERENCE]
    for (*key, name), own in changes.groupby([*LAYER, "perturbation"], sort=False):
        row = f"{layer_row(*key)}:{name}"
        code = own[own["code"] == CODE]
        for column in columns:
            cells[row, column] = over_seeds(code[column].tolist())
        for other in (FROZEN, LARGER):
            compared = own[own["code"] == other]
            for column in (PARTS[0], ABOVE):
                cells[row, f"{column}-{other}"] = over_seeds(compared[column].tolist())
        if name in (RANDOM, SIGNS):  # a ratio of two numbers near zero
            signed = [PARTS[0], *(f"{PARTS[0]}-{other}" for other in (FROZEN, LARGER))]
            cells |= {(row, column): None for column in signed}
    return cells
