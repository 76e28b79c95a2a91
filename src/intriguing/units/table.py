"""The table ``units``, and verdicts on the paper's two sentences about units.

The abstract says that "there is no distinction between individual high level units and
random linear combinations of high level units"; section 3 says that "the natural basis
is not better than a random basis". The first is the stronger.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from intriguing.stats.agreement import Claim, directional_claim
from intriguing.stats.clusters import widest
from intriguing.stats.intervals import Interval, average, over_seeds
from intriguing.stats.selectivity import TOP, Selectivity
from intriguing.tables.rates import Cell
from intriguing.tables.row_names import LAYER, layer_row
from intriguing.tables.tidy import Kinds
from intriguing.units.measure import NEURONS, PATH, ROTATION

MEASURES = Selectivity._fields
GAIN, AS_EXTREME = "gain-", "as-extreme-"
"""Prefixes of columns: difference from the rotations, share of rotations as far out."""
TOLERANCE = 1 / TOP
"""Difference in purity from which a basis counts as better: one image of the top."""
SIGNIFICANT = 0.05
RATES = ("purity", "eta2", "auc")
KINDS: Kinds = {
    f"{prefix}{name}": "rate" if name in RATES else "number"
    for name in MEASURES
    for prefix in ("", GAIN)
}


def against_rotations(measured: pd.DataFrame) -> pd.DataFrame:
    """Return each basis of each network beside its rotations.

    Args:
        measured: ``network``, ``seed``, ``trained``, ``layer``, ``basis``, ``part`` and
            the measures, as `measure_layer` returns them.

    Returns:
        One row a basis, with the measures; their difference from the rotations' mean
        (``gain-``); and the share of rotations that are at least as far from that mean
        (``as-extreme-``).
    """
    layers = measured.groupby([*LAYER, "seed"], sort=False)
    return pd.DataFrame([row for _, own in layers for row in _compared(own)])


def _compared(own: pd.DataFrame) -> Iterator[dict]:
    """Yield the rows of one layer of one network."""
    rotations = own.loc[own["basis"] == ROTATION, list(MEASURES)]
    mean = rotations.mean()
    spread = (rotations - mean).abs()
    for _, row in own[~own["basis"].isin([ROTATION, PATH])].iterrows():
        gain = (row[list(MEASURES)] - mean).astype(float)
        # The units count as one of the rotations, so that no share is zero.
        extreme = ((spread >= gain.abs()).sum() + 1) / (len(rotations) + 1)
        more = extreme.add_prefix(AS_EXTREME).to_dict()
        yield row.to_dict() | gain.add_prefix(GAIN).to_dict() | more


def unit_cells(compared: pd.DataFrame) -> dict[Cell, Interval | None]:
    """Return one row for each layer and basis, from those of `against_rotations`."""
    cells: dict[Cell, Interval | None] = {}
    columns = [*(f"{GAIN}{name}" for name in MEASURES), *MEASURES]
    for (*key, basis), own in compared.groupby([*LAYER, "basis"], sort=False):
        row = layer_row(*key) + ("" if basis == NEURONS else f":{basis}")
        for column in columns:
            cells[row, column] = over_seeds(own[column].tolist())
    return cells


def over_networks(values: pd.Series, units: pd.DataFrame) -> Interval | None:
    """Return the mean over networks of the mean over layers, with its interval.

    It is the wider of two: over the seeds of these networks, and over the networks.
    None without two seeds of any. ``units`` gives the ``network`` and the ``seed`` of
    each value.
    """
    by_seed = values.groupby([units["network"], units["seed"]]).mean()
    networks = [over_seeds(own.tolist()) for _, own in by_seed.groupby(level=0)]
    known = [one for one in networks if one is not None]
    if not known:
        return None
    return widest([average(known), over_seeds([one.value for one in known])])


def unit_claims(compared: pd.DataFrame, networks: Sequence[str]) -> list[Claim]:
    """Return verdicts on the paper's sentence about the basis, and on its strong form.

    ``networks`` are those that stand for the paper's.
    """
    own = compared[compared["network"].isin(networks)]
    units = own[own["trained"] & (own["basis"] == NEURONS)]
    gain = units[f"{GAIN}purity"]
    extreme = units[[f"{AS_EXTREME}{name}" for name in MEASURES]].min(axis=1)
    corrected = (len(MEASURES) * extreme).clip(upper=1)
    distinguished = over_networks(corrected, units)
    where = f"tables/units: hidden layers of {', '.join(networks)}"
    return [
        directional_claim(
            "natural-basis-is-not-better",
            f"The natural basis is not better than a random basis (purity of the top "
            f"{TOP} images, units less random directions, below one image of {TOP}).",
            over_networks(gain, units),
            where,
            side="below",
            threshold=TOLERANCE,
        ),
        directional_claim(
            "no-distinction-between-units-and-directions",
            "No measure distinguishes units from random directions (share of rotations "
            "that are as extreme in the measure that differs most, by Bonferroni's "
            "correction).",
            distinguished and distinguished.within(0, 1),
            where,
            threshold=SIGNIFICANT,
        ),
    ]
