"""Scaled perturbations: their length and their direction."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networks import images_of, seeded

from intriguing.models.perturbed import amplify, lengthen, root_mean_square
from intriguing.transfer.amplification import amplified_sets

CLEAN = images_of(40, 1, 28, 28)
NOISE = torch.randn(CLEAN.shape, generator=seeded(1))
SCALES = torch.linspace(0.01, 0.2, 40).reshape(-1, 1, 1, 1)
ADVERSARIAL = (CLEAN + SCALES * NOISE).clamp(0, 1)
SETS = amplified_sets("N", CLEAN, ADVERSARIAL, 0.1, seed=0)


def directions(images):
    shift = (images - CLEAN).flatten(1).double()
    return shift / shift.norm(dim=1, keepdim=True)


def test_lengths_are_over_the_root_of_the_pixels_and_one_factor_keeps_proportions():
    expected = (ADVERSARIAL - CLEAN).flatten(1).norm(dim=1) / 28
    torch.testing.assert_close(root_mean_square(ADVERSARIAL - CLEAN), expected)
    before = root_mean_square(ADVERSARIAL - CLEAN)
    ratio = root_mean_square(SETS["amplified-together:N"] - CLEAN) / before
    torch.testing.assert_close(ratio, ratio.mean().expand(40), rtol=1e-3, atol=0)


@given(amount=st.floats(0.01, 0.5))
def test_amplified_perturbations_all_have_one_root_mean_square(amount):
    clean = torch.full((5, 1, 4, 4), 0.5)
    steps = torch.arange(1, 6).reshape(-1, 1, 1, 1) * torch.eye(4)
    found = amplify(clean, clean + 0.01 * steps, amount)
    torch.testing.assert_close(
        root_mean_square(found - clean), torch.full((5,), amount), rtol=1e-4, atol=0
    )


@pytest.mark.parametrize(
    "kind", ["amplified", "amplified-together", "literal", "times-1.4"]
)
def test_every_way_to_amplify_keeps_the_direction(kind):
    expected = directions(ADVERSARIAL)
    found = directions(SETS[f"{kind}:N"])
    torch.testing.assert_close(found, expected, rtol=0, atol=5e-4)


def test_an_image_that_was_not_perturbed_stays_as_it_is():
    adversarial = ADVERSARIAL.clone()
    adversarial[3] = CLEAN[3]
    found = amplify(CLEAN, adversarial, 0.1)
    assert torch.equal(found[3], CLEAN[3])
    assert torch.isfinite(found).all()


def test_a_factor_may_be_one_for_all_or_one_for_each():
    shift = ADVERSARIAL - CLEAN
    torch.testing.assert_close(lengthen(CLEAN, ADVERSARIAL, 2.0), CLEAN + 2 * shift)
    found = lengthen(CLEAN, ADVERSARIAL, torch.arange(40.0))
    torch.testing.assert_close(found[7], CLEAN[7] + 7 * shift[7])


def test_sets_are_named_as_the_rows_of_the_tables():
    """The printed formula gives an L2 length, and so a 28th of the distortion."""
    lengths = {
        name: float(root_mean_square(x - CLEAN).mean()) for name, x in SETS.items()
    }
    made = lengths["N"]
    assert lengths == {
        "N": made,
        "amplified:N": pytest.approx(0.1, rel=1e-4),
        "matched:N": pytest.approx(made, rel=1e-4),
        "amplified-clipped:N": lengths["amplified-clipped:N"],
        "amplified-together:N": pytest.approx(0.1, rel=1e-4),
        "literal:N": pytest.approx(0.1 / 28, rel=1e-3),
        "times-1.4:N": pytest.approx(1.4 * made, rel=1e-4),
    }
    literal = (SETS["literal:N"] - CLEAN).flatten(1).norm(dim=1)
    torch.testing.assert_close(literal, torch.full((40,), 0.1), rtol=1e-3, atol=0)
    assert torch.equal(SETS["amplified-clipped:N"], SETS["amplified:N"].clamp(0, 1))
    assert lengths["amplified-clipped:N"] < 0.1
    assert torch.equal(SETS["N"], ADVERSARIAL)
