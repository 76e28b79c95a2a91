"""How much of the differences between networks each factor explains."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import t

from intriguing.smoothness.design import FACTORS, GROUPS, contrasts, terms
from intriguing.stats.intervals import Interval

UNEXPLAINED = "unexplained"
"""Row of what no term explains: seeds, and interactions of more than two factors."""
LEVEL = 0.95

Values = Float[np.ndarray, "seeds settings"]


def shares(values: Values, columns: Float[np.ndarray, "settings terms"]) -> np.ndarray:
    """Return the share of the variance of each term, and last what they leave over.

    The columns are orthogonal, so the shares add up to 1.
    """
    centred = values - values.mean()
    effects = centred.mean(0) @ columns / len(columns)
    explained = len(columns) * len(values) * effects**2 / (centred**2).sum()
    return np.append(explained, 1 - explained.sum())


def grouped(share: np.ndarray) -> dict[str, float]:
    """Return the shares by factor, by group, and of the rest."""
    main = dict(zip(FACTORS, share, strict=False))
    groups = {group: sum(main[f] for f in own) for group, own in GROUPS.items()}
    within = {name: 0.0 for name in GROUPS}
    across = 0.0
    for term, value in zip(
        terms()[len(FACTORS) :], share[len(FACTORS) :], strict=False
    ):
        owners = [group for group, own in GROUPS.items() for f in term if f in own]
        if owners[0] == owners[1]:
            within[owners[0]] += value
        else:
            across += value
    totals = {group: groups[group] + within[group] for group in GROUPS}
    return {**main, **totals, "interactions": across, UNEXPLAINED: share[-1]}


def adjusted(values: Values, covariate: Values, columns: np.ndarray) -> Values:
    """Return the values at equal covariate.

    The slope is that of the regression of the values on all terms and the covariate, so
    it comes from networks of one setting and from what the terms leave over.
    """
    model = np.column_stack([np.ones(len(columns)), columns])
    hat = model @ np.linalg.pinv(model)

    def residual(given: Values) -> Values:
        return given - given.mean(0) @ hat.T

    rest, other = residual(covariate), residual(values)
    slope = (rest * other).sum() / (rest**2).sum()
    return values - slope * (covariate - covariate.mean())


def share_table(
    values: Values, signs: Sequence[Mapping[str, int]], covariate: Values | None = None
) -> dict[str, Interval]:
    """Return the shares with intervals over seeds.

    Args:
        values: Mean log distance of each network.
        signs: The sign of each factor for each setting.
        covariate: Compare at equal values of this.
    """
    columns = contrasts(signs)

    def of(rows: np.ndarray) -> dict[str, float]:
        chosen = values[rows]
        if covariate is not None:
            chosen = adjusted(chosen, covariate[rows], columns)
        return grouped(shares(chosen, columns))

    found = jackknifed(of, len(values))
    return {name: one.within(0, 1) for name, one in found.items()}


def effect_table(
    values: Values, signs: Sequence[Mapping[str, int]]
) -> dict[str, Interval]:
    """Return, for each factor, the log of the value at its high over its low level."""
    columns = contrasts(signs)[:, : len(FACTORS)]

    def of(rows: np.ndarray) -> dict[str, float]:
        effects = values[rows].mean(0) @ columns / len(columns)
        return dict(zip(FACTORS, 2 * effects, strict=True))

    return jackknifed(of, len(values))


def jackknifed(
    of: Callable[[np.ndarray], Mapping[str, float]], seeds: int
) -> dict[str, Interval]:
    """Return numbers with Student's interval of the jackknife over seeds.

    Args:
        of: Returns the numbers of the seeds at these places.
        seeds: Number of seeds, at least 2.
    """
    every = np.arange(seeds)
    values = of(every)
    left_out = pd.DataFrame([of(np.delete(every, one)) for one in every])
    deviations = left_out - left_out.mean()
    errors = ((seeds - 1) / seeds * (deviations**2).sum()) ** 0.5
    reach = t.ppf((1 + LEVEL) / 2, seeds - 1) * errors
    return {
        name: Interval(value, value - reach[name], value + reach[name], seeds=seeds)
        for name, value in values.items()
    }
