"""The search on the weight, on margins that are known functions of it."""

import pytest
import torch

from intriguing.attack.objective import PLAIN, SQUARED, Evaluation
from intriguing.attack.weights import (
    BestStart,
    Bracket,
    Refinement,
    initial_weights,
    weights_against_best,
)


def follow(
    margin, first: float, rule, length=torch.rsqrt, best=None
) -> tuple[Bracket, int]:
    """Run a rule on one image whose margin and length are functions of the weight."""
    weight = torch.tensor([first])
    bracket = Bracket.unknown(weight)
    for tried in range(100):
        value = margin(weight)
        facts = (weight, value, length(weight), value)
        bracket.update(*facts, value > 0, torch.tensor([True]))
        following = rule.next_weights(bracket)
        weight = weights_against_best(bracket, following, best) if best else following
        if weight.isnan():
            return bracket, tried + 1
    raise AssertionError("the rule does not end")


@pytest.mark.parametrize("largest", [1e-3, 0.2, 1.0, 37.0])
@pytest.mark.parametrize("first", [1e-2, 1.0, 50.0])
def test_the_largest_successful_weight_is_found(largest, first):
    smooth = lambda c: torch.log(largest / c)  # noqa: E731
    bracket, _ = follow(smooth, first, Refinement(tolerance=1e-3, boundary_tolerance=0))
    assert bracket.success <= largest <= bracket.failure
    assert bracket.failure / bracket.success < 1.002


def test_a_jump_of_the_margin_is_enclosed_too():
    jump = lambda c: torch.where(c < 3.3, 0.4, -9.0)  # noqa: E731
    bracket, tried = follow(jump, 0.1, Refinement(tolerance=1e-3))
    assert bracket.success < 3.3 <= bracket.failure
    assert bracket.failure / bracket.success < 1.002
    assert tried <= 40


def test_it_ends_early_next_to_the_boundary_or_after_as_many_weights_as_allowed():
    smooth = lambda c: torch.log(1.0 / c)  # noqa: E731
    near, short = follow(smooth, 0.11, Refinement(boundary_tolerance=5e-2))
    _, long = follow(smooth, 0.11, Refinement(boundary_tolerance=0.0))
    assert 0 < near.boundary_distance <= 5e-2
    assert short < long
    _, tried = follow(lambda c: torch.tensor([1.0]), 2.0, Refinement(max_weights=1))
    assert tried == 1


@pytest.mark.parametrize("margin", [1.0, -1.0], ids=["always", "never"])
def test_a_margin_without_a_sign_change_ends_the_search(margin):
    bracket, _ = follow(lambda c: torch.tensor([margin]), 1.0, Refinement())
    assert (bracket.success > 0) == (margin > 0)


@pytest.mark.parametrize("penalty", [SQUARED, PLAIN], ids=["squared", "plain"])
def test_the_first_weight_balances_half_the_gradient_at_the_boundary(penalty):
    clean = torch.full((1, 3), 0.5)
    gradient = torch.tensor([[3.0, -4.0, 0.0]])
    at = Evaluation(clean, torch.tensor([10.0]), gradient, torch.tensor([-10.0]))
    weight = initial_weights(at, penalty)
    distance = torch.tensor([10.0 / 5.0])
    pull = weight * penalty.curvature(distance) * distance
    torch.testing.assert_close(pull, torch.tensor([5.0 / 2]))


def basin(largest: float, scale: float):
    """Margin and length in a basin that succeeds up to the weight ``largest``."""
    return lambda c: torch.log(largest / c), lambda c: scale * (largest / c) ** 0.3


def test_a_start_ends_at_its_best_or_in_a_longer_basin_at_the_first_failure():
    margin, length = basin(2.0, 1.5)
    best = BestStart(torch.tensor([1.9999]), torch.tensor([1.5]))
    bracket, tried = follow(
        margin, 0.01, Refinement(boundary_tolerance=0), length, best
    )
    assert tried == 2
    assert bracket.success == pytest.approx(1.9999, rel=3e-3)
    margin, length = basin(0.5, 2.0)
    best = BestStart(torch.tensor([0.6]), torch.tensor([1.5]))
    _, tried = follow(margin, 0.01, Refinement(boundary_tolerance=0), length, best)
    assert tried == 2


@pytest.mark.parametrize("largest", [0.2, 0.6, 5.0])
def test_a_start_in_a_shorter_basin_is_followed_to_its_end(largest):
    margin, length = basin(largest, 1.2)
    best = BestStart(torch.tensor([0.6]), torch.tensor([1.5]))
    bracket, _ = follow(margin, 0.01, Refinement(boundary_tolerance=0), length, best)
    assert bracket.success <= largest <= bracket.failure
    assert bracket.failure / bracket.success < 1.003


def test_without_a_best_nothing_changes():
    margin, length = basin(0.7, 1.0)
    none = BestStart(torch.tensor([torch.inf]), torch.tensor([torch.inf]))
    alone = follow(margin, 0.01, Refinement(boundary_tolerance=0), length)
    assert (
        follow(margin, 0.01, Refinement(boundary_tolerance=0), length, none)[1]
        == alone[1]
    )
