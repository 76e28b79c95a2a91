"""Noise as long as it should be, and the sets that are fed to every network."""

import pytest
import torch

from intriguing.transfer.predictions import (
    add_noise,
    adversarial_sets,
    matched_noise,
    noise_sets,
)


@pytest.fixture
def clean() -> torch.Tensor:
    return torch.rand(50, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def rms(difference: torch.Tensor) -> torch.Tensor:
    return difference.flatten(1).square().mean(1).sqrt()


def test_noise_has_the_deviation_and_no_mean(clean):
    noise = add_noise(clean, 0.3, seed=1, clip=False) - clean
    assert float(noise.std()) == pytest.approx(0.3, rel=0.02)
    assert float(noise.mean()) == pytest.approx(0, abs=0.005)


def test_clipping_brings_pixels_into_the_box_and_nothing_else(clean):
    free = add_noise(clean, 0.5, seed=1, clip=False)
    assert free.min() < 0
    assert torch.equal(add_noise(clean, 0.5, seed=1, clip=True), free.clamp(0, 1))


def test_matched_noise_is_as_long_as_asked(clean):
    wanted = torch.linspace(0, 0.2, 50)
    torch.testing.assert_close(rms(matched_noise(clean, wanted, 2) - clean), wanted)


def test_a_seed_decides_the_noise(clean):
    one, again, other = (add_noise(clean, 0.1, s, clip=False) for s in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_sets_are_named_as_the_rows_of_the_tables(clean):
    adversarial = (clean + 0.05).clamp(0, 1)
    made = adversarial_sets("FC10-1", clean, adversarial, seed=0)
    assert list(made) == ["FC10-1", "matched:FC10-1"]
    torch.testing.assert_close(
        rms(made["matched:FC10-1"] - clean), rms(adversarial - clean)
    )
    noise = noise_sets(clean, [0.1, 0.3], seed=0)
    names = ["clean", "noise-0.1", "noise-0.1-clipped", "noise-0.3"]
    assert list(noise) == [*names, "noise-0.3-clipped"]
    assert torch.equal(noise["clean"], clean)
