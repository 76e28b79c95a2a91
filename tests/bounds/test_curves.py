"""Polynomials on the curves of sigmoid and tanh units, and false claims about them."""

import numpy as np
import pytest
from bounds.small import small_network
from networks import images_of
from torch import nn

from intriguing.bounds import certify, verify
from intriguing.bounds.check_curves import chords_of, deficit
from intriguing.bounds.check_linear import Claim
from intriguing.bounds.intervals import Interval
from intriguing.bounds.network import ACTIVATIONS, Vector, fully_connected
from intriguing.bounds.relaxed_curves import curves_of

KINDS = pytest.mark.parametrize("activation", [nn.Sigmoid, nn.Tanh])
UNITS = 6


def claim_of(activation) -> tuple[Claim, Vector, Vector]:
    """Return a claim about units with intervals of widths from 1e-6 to 60."""
    generator = np.random.default_rng(0)
    widths = np.logspace(-6, np.log10(60), UNITS)
    lower = generator.normal(size=UNITS) - widths * generator.random(UNITS)
    network = fully_connected(small_network([2, UNITS, 2], activation))
    upper = lower + widths
    claim = Claim(network, (), np.zeros(2), 1.0, False, [lower], [upper])
    return claim, lower, upper


@KINDS
def test_the_chords_of_search_and_check_agree_and_contain_the_curves(activation):
    claim, lower, upper = claim_of(activation)
    chords = chords_of(claim)
    curves = curves_of(claim.network, [Interval(lower, upper)])
    for one, other in zip(chords, curves.affine, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-13)
    t, e = curves.coordinates(curves.points())
    assert np.abs(t).max() <= 1 + 1e-9
    assert np.abs(e).max() <= 1


@KINDS
def test_a_deficit_is_never_below_that_of_brute_force_and_close(activation):
    claim, lower, upper = claim_of(activation)
    chords, value = chords_of(claim), ACTIVATIONS[activation].value
    z = lower[:, None] + (upper - lower)[:, None] * np.linspace(0, 1, 100_003)
    t = (2 * z - (lower + upper)[:, None]) / (upper - lower)[:, None]
    slope, offset, height = (part[:, None] for part in chords)
    e = (value(z) - slope * z - offset) / height
    generator = np.random.default_rng(1)
    for _ in range(20):
        units = generator.normal(size=(6, UNITS))
        units[0] += 1
        one, by_t, by_e, by_tt, by_te, by_ee = units[:, :, None]
        curve = one + by_t * t + by_e * e + by_tt * t**2 + by_te * t * e + by_ee * e**2
        true = -np.minimum(curve.min(1), 0).sum()
        found = deficit(claim, chords, units)
        assert true - 1e-6 <= found <= true + 1e-2


def test_a_polynomial_that_touches_the_curve_lacks_next_to_nothing():
    claim, *_ = claim_of(nn.Sigmoid)
    squares = np.zeros((6, UNITS))
    squares[3] = squares[5] = 1
    squares[0] = -1e-9
    found = deficit(claim, chords_of(claim), squares)
    assert 0 < found < 1e-3
    assert deficit(claim, chords_of(claim), np.full((6, UNITS), np.nan)) == np.inf


@KINDS
def test_no_altered_certificate_proves_more_than_the_attack_allows(activation):
    scale = 6.0 if activation is nn.Sigmoid else 2.0
    model = small_network([3, 5, 4, 3], activation, seed=1, scale=scale)
    images = images_of(3, 1, 1, 3)
    labels = model(images).argmax(1)
    found = certify(model, images, labels)
    nearest = (found.counterexample - images).double().flatten(1).norm(dim=1).numpy()
    assert (nearest > 0).all()
    true, generator = found.certificate, np.random.default_rng(0)
    accepted = 0
    for size in np.logspace(-6, 0, 12):
        noise = generator.normal(size=true.leaf_units.shape)
        altered = true._replace(
            leaf_units=true.leaf_units * (1 + size * noise),
            leaf_value=true.leaf_value * 10 ** generator.uniform(-1, 1),
        )
        accepted += verify(model, images, labels, altered).sum()
        wider = (true.upper - true.lower) / 20
        false = altered._replace(
            radius=1.002 * nearest, lower=true.lower - wider, upper=true.upper + wider
        )
        assert not verify(model, images, labels, false).any()
    assert accepted > 0
