"""The part of `verify` for polynomials on the curves of sigmoid and tanh units.

It shares no code with `relaxed_curves`, and bounds its own rounding.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from torch import nn

from intriguing.bounds.check_linear import Claim, Vector, activated, steepest
from intriguing.bounds.rounding import UNIT, gamma

PIECES = 4000
"""Of each curve, between whose ends a polynomial is bounded."""
SPARE, FLATTEST = 1e-3, 1e-7
"""By which share a curve's height is enlarged, and the least height."""


class Chords(NamedTuple):
    """Activations as slope z + offset + height e, one entry a hidden unit.

    Height zero stands for no e.
    """

    slope: Vector
    offset: Vector
    height: Vector


def chords_of(claim: Claim) -> Chords:
    """Return chords of the curves on the claimed intervals, with e in [-1, 1].

    The function minus a line of the chord's slope is extreme where its derivative is
    the slope, or at an end.
    """
    network = claim.network
    lower, upper = np.concatenate(claim.lower), np.concatenate(claim.upper)
    rise = activated(network, upper) - activated(network, lower)
    slope = rise / (upper - lower)
    stretch = 1.0 if network.activation is nn.Tanh else 2.0
    share = np.minimum(np.sqrt(np.maximum(1 - slope / steepest(network), 0)), 1 - 1e-15)
    turns = stretch * np.arctanh(share)
    points = [lower, upper, *(np.clip(z, lower, upper) for z in (-turns, turns))]
    gaps = np.array([activated(network, z) - slope * z for z in points])
    offset, height = (gaps.max(0) + gaps.min(0)) / 2, (gaps.max(0) - gaps.min(0)) / 2
    return Chords(slope, offset, np.maximum((1 + SPARE) * height, FLATTEST))


def deficit(claim: Claim, chords: Chords, units: Float[np.ndarray, "6 n"]) -> float:
    """Return by how much the units' polynomials may be below zero, in all.

    Between two points a function is at least the smaller of its values minus the
    largest second derivative times the squared distance over 8.
    """
    lower, upper = np.concatenate(claim.lower), np.concatenate(claim.upper)
    shares = np.arange(PIECES + 1) / PIECES
    z = lower[:, None] + (upper - lower)[:, None] * shares
    z[:, -1] = upper
    slope, offset, height = (part[:, None] for part in chords)
    half, centre = (upper - lower)[:, None] / 2, (upper + lower)[:, None] / 2
    t = (z - centre) / half
    e = (activated(claim.network, z) - slope * z - offset) / height
    wrong_t = 4 * UNIT * (np.abs(z) + np.abs(centre)) / half
    wrong_e = UNIT * (12 + 4 * np.abs(slope * z) + 4 * np.abs(offset)) / height
    one, by_t, by_e, by_tt, by_te, by_ee = units[:, :, None]
    terms = one, by_t * t, by_e * e, by_tt * t * t, by_te * t * e, by_ee * e * e
    sizes = sum(np.abs(term) for term in terms)
    rounding = gamma(16) * sizes
    rounding += wrong_t * (np.abs(by_t) + 2.1 * np.abs(by_tt) + 1.1 * np.abs(by_te))
    rounding += wrong_e * (np.abs(by_e) + 2.1 * np.abs(by_ee) + 1.1 * np.abs(by_te))
    least = (sum(terms) - rounding).min(1)
    bends = _second_derivatives(claim, chords, np.abs(units))
    longest = np.diff(z).max(1) * (1 + 4 * UNIT)
    drops = np.minimum(least - 1.01 * bends * longest**2 / 8, 0)
    return -float(drops.sum()) * (1 + 1e-12) if np.isfinite(drops).all() else np.inf


def _second_derivatives(
    claim: Claim, chords: Chords, sizes: Float[np.ndarray, "6 n"]
) -> Vector:
    """Return bounds of the second derivative by z of polynomials of such coefficients.

    Those of t and e are 1 / half and (f' - slope) / height; f' is largest next to 0.
    """
    lower, upper = np.concatenate(claim.lower), np.concatenate(claim.upper)
    tanh = claim.network.activation is nn.Tanh
    places = np.array([lower, upper, np.clip(0, lower, upper)])
    flat = 1 - np.tanh(places if tanh else places / 2) ** 2
    slopes = steepest(claim.network) * flat - chords.slope
    rate = (1.01 * np.abs(slopes).max(0) + 8 * UNIT) / chords.height
    # sup |f''| is 4 / (3 sqrt 3) for tanh, and an eighth of it for the sigmoid.
    bend = (0.77 if tanh else 0.0963) / chords.height
    inner = 2 / (upper - lower)
    _, _, by_e, by_tt, by_te, by_ee = sizes
    mixed = 2 * inner * rate + bend
    square = 2 * (rate**2 + bend)
    return 1.01 * (by_e * bend + 2 * by_tt * inner**2 + by_te * mixed + by_ee * square)
