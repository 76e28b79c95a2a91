"""Scaled perturbations: their length and their direction."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from intriguing.transfer.amplification import (
    amplified_sets,
    amplify,
    lengthen,
)
from intriguing.transfer.predictions import root_mean_square


@pytest.fixture
def clean() -> torch.Tensor:
    return torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def adversarial(clean) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    scale = torch.linspace(0.01, 0.2, 40).reshape(-1, 1, 1, 1)
    noise = torch.randn(clean.shape, generator=generator)
    return (clean + scale * noise).clamp(0, 1)


def directions(clean, images):
    shift = (images - clean).flatten(1).double()
    return shift / shift.norm(dim=1, keepdim=True)


def test_distortion_is_the_length_over_the_root_of_the_pixels(clean, adversarial):
    expected = (adversarial - clean).flatten(1).norm(dim=1) / 28
    torch.testing.assert_close(root_mean_square(adversarial - clean), expected)


@given(amount=st.floats(0.01, 0.5))
def test_amplified_perturbations_all_have_one_root_mean_square(amount):
    clean = torch.full((5, 1, 4, 4), 0.5)
    steps = torch.arange(1, 6).reshape(-1, 1, 1, 1) * torch.eye(4)
    found = amplify(clean, clean + 0.01 * steps, amount)
    torch.testing.assert_close(
        root_mean_square(found - clean), torch.full((5,), amount), rtol=1e-4, atol=0
    )


def test_every_way_to_amplify_keeps_the_direction(clean, adversarial):
    sets = amplified_sets("N", clean, adversarial, 0.3, seed=0)
    for name in ("amplified:N", "amplified-together:N", "literal:N", "times-1.4:N"):
        torch.testing.assert_close(
            directions(clean, sets[name]),
            directions(clean, adversarial),
            rtol=0,
            atol=1e-4,
        )


def test_the_printed_formula_gives_an_l2_length_and_so_a_28th_of_the_distortion(
    clean, adversarial
):
    sets = amplified_sets("N", clean, adversarial, 0.1, seed=0)
    lengths = (sets["literal:N"] - clean).flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((40,), 0.1), rtol=1e-3, atol=0)


def test_one_factor_for_all_keeps_the_proportions(clean, adversarial):
    sets = amplified_sets("N", clean, adversarial, 0.1, seed=0)
    before = root_mean_square(adversarial - clean)
    ratio = root_mean_square(sets["amplified-together:N"] - clean) / before
    torch.testing.assert_close(ratio, ratio.mean().expand(40), rtol=1e-3, atol=0)


def test_an_image_that_was_not_perturbed_stays_as_it_is(clean, adversarial):
    adversarial[3] = clean[3]
    found = amplify(clean, adversarial, 0.1)
    assert torch.equal(found[3], clean[3])
    assert torch.isfinite(found).all()


def test_a_factor_may_be_one_for_all_or_one_for_each(clean, adversarial):
    shift = adversarial - clean
    torch.testing.assert_close(lengthen(clean, adversarial, 2.0), clean + 2 * shift)
    factors = torch.arange(40.0)
    found = lengthen(clean, adversarial, factors)
    torch.testing.assert_close(found[7], clean[7] + 7 * shift[7])


def test_sets_are_named_as_the_rows_of_the_tables(clean, adversarial):
    sets = amplified_sets("N", clean, adversarial, 0.1, seed=0)
    lengths = {
        name: float(root_mean_square(x - clean).mean()) for name, x in sets.items()
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
    assert torch.equal(sets["amplified-clipped:N"], sets["amplified:N"].clamp(0, 1))
    assert lengths["amplified-clipped:N"] < 0.1
    assert torch.equal(sets["N"], adversarial)
