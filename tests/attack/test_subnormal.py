"""Subnormal numbers are zero while an attack runs, and what they were afterwards."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from intriguing.attack import find_adversarial, lbfgs
from intriguing.attack.subnormal import are_zero, subnormals_as_zero

MODE = torch.set_flush_denormal(False)
pytestmark = pytest.mark.skipif(not MODE, reason="this processor has no such mode")


@pytest.fixture(params=[False, True])
def mode(request):
    """The mode in which the caller is."""
    torch.set_flush_denormal(request.param)
    yield request.param
    torch.set_flush_denormal(False)


def test_the_mode_lasts_as_long_as_the_block(mode):
    assert are_zero() == mode
    with subnormals_as_zero():
        assert are_zero()
        with subnormals_as_zero():
            assert are_zero()
        assert are_zero()
    assert are_zero() == mode


def test_threads_inherit_the_mode_and_an_error_ends_it(mode):
    with pytest.raises(ValueError), subnormals_as_zero(), ThreadPoolExecutor(1) as pool:
        assert pool.submit(are_zero).result()
        raise ValueError
    assert are_zero() == mode


@pytest.mark.parametrize("method", ["lbfgs", "scipy", "minimal"])
def test_attacks_run_in_it_and_restore_the_callers(method, mode):
    seen = []

    class Watched(nn.Module):
        def forward(self, images):
            seen.append(are_zero())
            return images.flatten(1)

    images = torch.rand(3, 5)
    targets = (images.argmax(1) + 1) % 5
    find_adversarial(Watched(), images, targets, method=method)
    # The first seven calls and the last two are checks.
    assert all(seen[7:-2] if method != "scipy" else seen[7:9]) and len(seen) > 10
    assert are_zero() == mode


def test_they_do_not_change_what_is_found(monkeypatch):
    torch.manual_seed(0)
    layers = [nn.Linear(9, 40), nn.Sigmoid(), nn.Linear(40, 1), nn.Sigmoid()]
    model = nn.Sequential(nn.Flatten(), *layers, nn.Linear(1, 3)).requires_grad_(False)
    model[1].weight *= 120  # saturated, both layers
    model[3].weight *= 40
    images, targets = torch.rand(8, 9), torch.arange(8) % 3
    first, second = model[:3](images), model[:5](images)
    gradients = first * (1 - first) * (second * (1 - second))  # of the backward pass
    assert ((gradients > 0) & (gradients < torch.finfo(torch.float32).tiny)).any()
    found = find_adversarial(model, images, targets)
    monkeypatch.setattr(lbfgs, "search", lbfgs.search.__wrapped__)
    again = find_adversarial(model, images, targets)
    assert found.reached.any() and torch.equal(found.reached, again.reached)
    torch.testing.assert_close(found.images, again.images, rtol=0, atol=1e-6)


def test_the_mode_is_kept_where_the_default_type_is_another(mode):
    torch.set_default_dtype(torch.float16)
    try:
        with subnormals_as_zero():
            pass
        assert are_zero() == mode
    finally:
        torch.set_default_dtype(torch.float32)
