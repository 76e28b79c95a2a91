"""The steps of the minimal attack, each against the equations that define it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from intriguing.attack.exact import project
from intriguing.attack.minimal import (
    curvature,
    ending,
    kinks,
    projection,
    starts,
    steps,
    walk,
    workingset,
)
from intriguing.attack.minimal.live import Live, empty, place
from intriguing.attack.minimal.network import (
    LEAST_ROWS,
    Network,
    difference,
    network_of,
    padded,
)
from intriguing.attack.minimal.problem import Tally, next_runs, pose
from intriguing.attack.minimal.turn import turn
from intriguing.attack.minimal.untargeted import ranked


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def subproblem(seed: int, rows: int, width: int = 30, count: int = 6):
    """Images with pixels at the ends of the box, and constraints that bind."""
    generator = seeded(seed)
    clean = (1.6 * torch.rand(count, width, generator=generator) - 0.3).clamp(0, 1)
    image = (clean + 0.1 * torch.randn(count, width, generator=generator)).clamp(0, 1)
    slopes = torch.randn(count, rows, width, generator=generator)
    need = 0.5 * torch.rand(count, rows, generator=generator)
    return clean, image, slopes, need


def half_spaces(slopes, need, image):
    """Return one image's constraints by their normals and offsets."""
    normals = slopes.double().numpy()
    return normals, need.double().numpy() + normals @ image.double().numpy()


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 6))
def test_the_projection_is_the_exact_one(seed, rows):
    clean, image, slopes, need = subproblem(seed, rows)
    kappa = torch.full((6,), 1e-4)
    point, multiplier, capped = projection.project(
        clean, image, slopes, need, torch.zeros_like(need), kappa
    )
    assert not capped.any()
    assert (multiplier >= 0).all()
    for n in range(6):
        normals, offsets = half_spaces(slopes[n], need[n], image[n])
        exact = project(normals, offsets, clean[n].double().numpy())
        length = float((point[n] - clean[n]).double().norm())
        assert length == pytest.approx(float(exact.length), rel=2e-4, abs=1e-4)
        assert (offsets - normals @ point[n].double().numpy()).max() < 2e-4


def test_nearly_equal_constraints_are_projected_on_too():
    clean, image, slopes, need = subproblem(3, 1)
    twice = slopes + 1e-4 * torch.randn(6, 2, 30, generator=seeded(4))
    twin = (slopes.repeat(1, 3, 1), need.repeat(1, 3))
    twin[0][:, 1:] = twice
    kappa = torch.full((6,), 1e-4)
    none = torch.zeros(6, 3)
    alone, _, _ = projection.project(clean, image, slopes, need, none[:, :1], kappa)
    point, _, _ = projection.project(clean, image, *twin, none, kappa)
    length = (alone - clean).norm(dim=1)
    torch.testing.assert_close((point - clean).norm(dim=1), length, rtol=2e-3, atol=0)


def test_many_constraints_and_few_free_pixels_have_their_projection_too():
    """The dual's Hessian is singular then, and its Newton step may lead nowhere."""
    clean, image, slopes, _ = subproblem(7, 10, width=8, count=200)
    slopes[:, 5:] = slopes[:, 4:5] + 0.01 * slopes[:, 5:]
    inside = torch.rand(200, 8, generator=seeded(8))
    need = torch.einsum("nkd,nd->nk", slopes, inside - image) - 0.01
    kappa, none = torch.full((200,), 1e-3), torch.zeros_like(need)
    point, _, _ = projection.project(clean, image, slopes, need, none, kappa)
    short = need - torch.einsum("nkd,nd->nk", slopes, point - image)
    assert short.max() < 1e-3
    for n in range(200):
        exact = project(
            *half_spaces(slopes[n], need[n], image[n]), clean[n].double().numpy()
        )
        length = float((point[n] - clean[n]).double().norm())
        assert length == pytest.approx(float(exact.length), rel=2e-3, abs=2e-3)


def test_empty_seats_take_no_part():
    clean, image, slopes, need = subproblem(5, 2)
    kappa, none = torch.full((6,), 1e-4), torch.zeros(6, 3)
    more = torch.cat([slopes, torch.zeros(6, 1, 30)], 1)
    gone = torch.cat([need, torch.full((6, 1), -torch.inf)], 1)
    point, _, _ = projection.project(clean, image, more, gone, none, kappa)
    expected, _, _ = projection.project(clean, image, slopes, need, none[:, :2], kappa)
    torch.testing.assert_close(point, expected)


@pytest.mark.parametrize("seed", range(5))
def test_with_exact_pairs_the_step_solves_the_curved_subproblem(seed):
    """As many conjugate pairs as dimensions determine the Hessian."""
    width, generator = 6, seeded(seed)
    clean = 0.4 + 0.2 * torch.rand(3, width, generator=generator)
    image = clean + 0.01 * torch.randn(3, width, generator=generator)
    root = torch.randn(3, width, width, generator=generator)
    hessian = torch.eye(width) + 0.3 * root @ root.mT
    _, directions = torch.linalg.eigh(hessian)
    steps = directions.mT.contiguous()
    changes = steps @ hessian
    slopes = torch.randn(3, 1, width, generator=generator)
    need = torch.full((3, 1), 0.02)
    projected, multiplier, _ = projection.project(
        clean, image, slopes, need, torch.zeros(3, 1), torch.full((3,), 1e-4)
    )
    step, price, sound = curvature.quasi_newton(
        clean, image, slopes, need, projected, multiplier, steps, changes
    )
    assert sound.sum() >= 2  # a price may be negative, a step too long
    # Stationary: B d + (x - clean) = λ w; and the constraint holds.
    left = torch.einsum("nij,nj->ni", hessian, step) + image - clean
    right = price * slopes[:, 0]
    torch.testing.assert_close(left[sound], right[sound], rtol=1e-3, atol=1e-4)
    gained = torch.linalg.vecdot(slopes[:, 0], step)
    torch.testing.assert_close(gained[sound], need[sound, 0], rtol=1e-4, atol=1e-6)


@given(seed=st.integers(0, 1000))
def test_damped_pairs_have_enough_curvature_and_good_ones_stay(seed):
    steps, changes = torch.randn(2, 4, 5, 7, generator=seeded(seed))
    damped, inverse = curvature.damped(steps, changes)
    square = steps.square().sum(2)
    overlap = (steps * damped).sum(2)
    assert (overlap >= 0.999 * curvature.LEAST_CURVATURE * square).all()
    torch.testing.assert_close(inverse, 1 / overlap, rtol=1e-3, atol=0)
    good = (steps * changes).sum(2) > curvature.LEAST_CURVATURE * square
    torch.testing.assert_close(damped[good], changes[good])


def test_a_ring_is_read_from_its_newest_entry_back():
    ring = torch.arange(4.0)[None, :, None].repeat(2, 1, 1)
    newest, count = torch.tensor([1, 3]), torch.tensor([3, 9])
    entries = curvature.ordered(ring, newest, count)
    assert entries[:, :, 0].tolist() == [[1, 0, 3, 0], [3, 2, 1, 0]]


NETWORKS = {
    "sigmoid": nn.Sequential(
        nn.Flatten(), nn.Linear(12, 9), nn.Sigmoid(), nn.Linear(9, 4)
    ),
    "mixed": nn.Sequential(
        nn.Flatten(),
        nn.Sequential(nn.Linear(12, 9), nn.ReLU()),
        nn.Linear(9, 9, bias=False),
        nn.Tanh(),
        nn.Linear(9, 4),
    ),
    "convolution": nn.Sequential(
        nn.Conv2d(1, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(18, 4)
    ),
    "linear": nn.Sequential(nn.Flatten(), nn.Linear(12, 4)),
}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("count", [1, 40])
def test_gradients_taken_later_are_those_of_autograd(name, count):
    model = NETWORKS[name]
    generator = seeded(0)
    for weights in model.parameters():
        weights.data = torch.randn(weights.shape, generator=generator)
    points = torch.rand(count, 12, generator=generator)
    network = network_of(model, torch.Size((1, 3, 4)))
    logits, trace = network.forward(points)
    torch.testing.assert_close(logits, model(points.reshape(-1, 1, 3, 4)).detach())
    rows = torch.randint(count, (2 * count + 3,), generator=generator)
    winner = torch.randint(4, rows.shape, generator=generator)
    loser = (winner + 1) % 4
    slopes = network.backward(trace, rows, difference(winner, loser, logits))
    for row, up, down, slope in zip(rows, winner, loser, slopes, strict=True):
        point = points[row : row + 1].reshape(1, 1, 3, 4).requires_grad_(True)
        values = model(point)[0]
        (expected,) = torch.autograd.grad(values[up] - values[down], point)
        torch.testing.assert_close(slope, expected.flatten(), rtol=1e-4, atol=1e-5)


def test_small_passes_are_padded_and_large_ones_are_not():
    rows = torch.rand(3, 5)
    assert padded(rows).shape == (LEAST_ROWS, 5)
    assert torch.equal(padded(rows)[:3], rows)
    assert padded(torch.rand(LEAST_ROWS + 1, 5)).shape == (LEAST_ROWS + 1, 5)


def test_the_working_set_keeps_multipliers_and_takes_what_is_near():
    margins = torch.tensor([[torch.inf, 0.5, 0.01, 3.0, 0.02, 5.0]])
    multiplier = torch.tensor([[0.0, 0.0, 0.0, 0.7, 0.0, 0.0]])
    classes, used = workingset.choose(margins, multiplier, torch.tensor([0.1]), 4)
    assert classes[0, used[0]].tolist() == [3, 2, 4]
    classes, used = workingset.choose(margins, 0 * multiplier, torch.tensor([0.0]), 4)
    assert classes[0, used[0]].tolist() == [2]


def test_start_images_lie_in_the_goal_and_none_comes_twice():
    answers = torch.tensor([2, 0, 1, 2, 2, 0, 1, 2])
    images = torch.arange(8.0)[:, None].repeat(1, 3)
    pool = starts.pool_of(images, nn.functional.one_hot(answers, 4).float())
    assert pool.count.tolist() == [2, 2, 4, 0]
    goal, seed = torch.tensor([2, 2]), torch.tensor([-5, 123456789])
    drawn = []
    for number in range(4):
        image = starts.draw(pool, goal, seed, torch.full((2,), number))
        assert torch.equal(goal, answers[image[:, 0].long()])
        drawn.append(image[:, 0])
    for each in torch.stack(drawn, 1):
        assert len(each.unique()) == 4


def test_seeds_follow_from_the_pixels_alone():
    images = torch.rand(50, 20, generator=seeded(0))
    seeds = starts.seeds_of(images)
    assert len(seeds.unique()) == 50
    order = torch.randperm(50, generator=seeded(1))
    assert torch.equal(starts.seeds_of(images[order]), seeds[order])
    assert torch.equal(starts.seeds_of(images[7:8]), seeds[7:8])
    # The last decimal of one pixel changes what is drawn.
    images[3, 4] = images[3, 4].nextafter(torch.tensor(2.0))
    assert starts.seeds_of(images)[3] != seeds[3]


def test_hits_count_how_often_the_best_length_was_reached():
    hits = torch.tensor([2, 2, 2, 0])
    best = torch.tensor([1.0, 1.0, 1.0, torch.inf])
    length = torch.tensor([1.0002, 0.9, 1.2, torch.inf])
    assert starts.counted(hits, best, length).tolist() == [3, 1, 2, 0]


@pytest.mark.parametrize(
    ("length", "residual", "excess", "above"),
    [
        (2.0, 0.9, 0.5, True),  # far above, even after half of the next step
        (1.3, 0.6, 0.2, False),
        (2.0, 1.1, 0.5, False),  # the next step is long: it may lead anywhere
        (1.006, 0.02, 3e-4, True),  # near its end, which is above
        (1.006, 0.05, 2e-3, False),
        (1.0005, 0.001, 0.0, False),  # as long as the best
    ],
)
def test_a_run_is_given_up_where_it_will_not_come_below_the_best(
    length, residual, excess, above
):
    model, images = nn.Sequential(nn.Flatten(), nn.Linear(5, 3)), torch.rand(2, 5)
    wanted = torch.tensor([[True, False, False]]).repeat(2, 1)
    problem, _ = pose(network_of(model, images[0].shape), images, wanted, 1, None, None)
    live = empty(problem, 2, 1, 1)
    run = {"length": length, "residual": residual, "excess": excess, "bound": 1.0}
    for name, value in run.items():
        getattr(live, name).fill_(value)
    live.taken += torch.tensor([ending.PRUNED_FROM, ending.PRUNED_FROM - 1])
    assert ending.is_above(live).tolist() == [above, False]


def test_a_cut_takes_a_free_seat_then_one_that_does_not_bind_then_turns():
    none = torch.inf
    gap = torch.tensor([[1.0, none, none], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    multiplier = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    made = torch.tensor([1, 3, 4])
    seats = kinks.free_seat(gap, multiplier, made)
    assert seats.tolist() == [1, 1, 1]
    assert kinks.free_seat(gap, multiplier, made + 1)[2] == 0


def test_gradients_left_behind_become_cuts_once_there_were_several():
    model, images = nn.Sequential(nn.Flatten(), nn.Linear(5, 4)), torch.rand(2, 5)
    wanted = torch.tensor([[True, False, False, False]]).repeat(2, 1)
    problem, _ = pose(network_of(model, images[0].shape), images, wanted, 1, None, None)
    live = empty(problem, 2, 1, 3)
    live.gap.fill_(torch.inf)
    live.gap[:, :2], live.multiplier[:, 0] = torch.tensor([0.1, 0.2]), 1.0
    live.classes[:, 0] = 3
    live.slopes.copy_(torch.randn(live.slopes.shape, generator=seeded(1)))
    live.cuts += torch.tensor([kinks.KEPT_FROM, kinks.KEPT_FROM - 1])
    left = live.slopes[0, 0].clone()
    kinks.keep_left_behind(live, torch.arange(2), kinked=False)
    own = live.own
    assert live.gap[:, own:].isfinite().tolist() == [[True, False, False], [False] * 3]
    assert torch.equal(live.slopes[0, own], left)
    assert live.classes[0, own] == 3 and live.gap[0, own] == live.gap[0, 0]
    assert 0 < live.multiplier[0, own] < workingset.NOTICEABLE


def test_in_a_network_with_kinks_they_do_so_at_once_near_the_end():
    layers = (nn.Flatten(), nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4))
    model, images = nn.Sequential(*layers), torch.rand(2, 5)
    wanted = torch.tensor([[True, False, False, False]]).repeat(2, 1)
    network = network_of(model, images[0].shape)
    assert network.kinked
    problem, _ = pose(network, images, wanted, 1, None, None)
    live = empty(problem, 2, 1, 3)
    live.gap.fill_(torch.inf)
    live.gap[:, 0], live.multiplier[:, 0], live.length[:] = 0.1, 1.0, 2.0
    live.residual.copy_(2.0 * kinks.KEPT_WITHIN * torch.tensor([0.99, 1.01]))
    for kinked, kept in ((False, [False, False]), (True, [True, False])):
        kinks.keep_left_behind(live, torch.arange(2), kinked)
        assert live.gap[:, live.own].isfinite().tolist() == kept


@pytest.mark.parametrize(
    ("layer", "kinked"),
    [(nn.Sigmoid, False), (nn.Softplus, False), (nn.ReLU, True), (nn.LeakyReLU, True)],
)
def test_a_stack_of_layers_says_whether_it_has_kinks(layer, kinked):
    model = nn.Sequential(nn.Flatten(), nn.Linear(5, 6), layer(), nn.Linear(6, 4))
    assert network_of(model, torch.Size([5])).kinked == kinked
    refusals = torch.arange(4.0)
    calls = steps.calls_for_cut(refusals, kinked).tolist()
    assert calls == [False, kinked, True, True]


def refused_twice(image, trial, projected) -> tuple[Live, Network]:
    """Return two slots that are about to try points farther away than their own.

    Class 1 wins from 0.5 on in the first pixel; both clean images are at 0.2, 0.5.
    """
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2))
    model[1].weight.data = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    model[1].bias.data = torch.tensor([0.5, 0.0])
    network = network_of(model, torch.Size([2]))
    images, wanted = torch.tensor([[0.2, 0.5]] * 2), torch.tensor([[False, True]] * 2)
    problem, tally = pose(network, images, wanted, 1, None, None)
    live = empty(problem, 2, 1, 3)
    place(live, torch.arange(2), next_runs(problem, tally, torch.arange(2)), problem)
    live.walking.fill_(False)
    for name, value in {"unit": 1.0, "kappa": 0.01, "refusals": 2}.items():
        getattr(live, name).fill_(value)
    points = {"image": image, "trial": trial, "projected": projected}
    for name, value in points.items():
        getattr(live, name).copy_(torch.tensor(value))
    margin = live.image[:, 0] - 0.5
    live.length.copy_(live.image[:, 0] - 0.2)
    live.margins.copy_(margin[:, None].expand_as(live.margins))
    live.gap[:, 0], live.slopes[:, 0] = margin, torch.tensor([1.0, 0.0])
    live.multiplier[:, 0] = 0.35
    return live, network


def cuts_made(live: Live, network: Network) -> list[bool]:
    turn(live, network)
    assert (live.refusals == 3).all()
    return live.gap[:, live.own :].isfinite().any(1).tolist()


def test_a_refusal_is_answered_by_a_cut_only_where_one_would_be_violated():
    # Both are farther from the image; only the second falls short of the margin.
    trial = [[0.7, 0.5], [0.505, 0.95]]
    assert cuts_made(*refused_twice([0.55, 0.5], trial, [0.5, 0.5])) == [False, True]


def test_nor_where_the_cut_would_leave_the_projection_where_it_is():
    projected = [[0.52, 0.5], [0.45, 0.5]]
    live, network = refused_twice([0.3, 0.5], [0.4, 0.5], projected)
    live.halvings.fill_(1)
    assert cuts_made(live, network) == [False, True]
    # The step is halved instead: a like trial would not be taken either.
    assert live.halvings.tolist() == [2, 1]


def run_beside_a_bound(best: float, bound: float) -> tuple[Live, Tally]:
    """Return a run that ends unconverged, and what is known of its image."""
    model, images = nn.Sequential(nn.Flatten(), nn.Linear(5, 3)), torch.rand(1, 5)
    wanted = torch.tensor([[True, False, False]])
    network = network_of(model, images[0].shape)
    problem, tally = pose(network, images, wanted, 1, None, None)
    live = empty(problem, 1, 2, 2)
    run = next_runs(problem, tally, torch.arange(1))
    place(live, torch.arange(1), run, problem)
    tally.length.fill_(bound)
    tally.converged.fill_(True)
    live.walking.fill_(False)
    live.best_image.fill_(0.25)
    live.image.fill_(0.5)
    numbers = {"best": best, "bound": bound, "length": 3.0, "residual": 0.3}
    for name, value in numbers.items():
        getattr(live, name).fill_(value)
    live.taken.fill_(ending.MOST_TURNS + 1)
    live.gap.fill_(0.1)
    for name in ("multiplier", "price", "pairs", "cuts", "refusals"):
        getattr(live, name).fill_(2)
    return live, tally


def test_a_run_that_left_the_shortest_known_goes_back_to_it_once():
    live, tally = run_beside_a_bound(best=0.9, bound=1.0)
    assert not len(ending.finish(live, tally, ending.Accuracy()))
    assert live.row.tolist() == [0] and tally.length.item() == 1.0
    assert torch.equal(live.trial, live.best_image)
    assert live.length.isinf().all() and live.gap.isinf().all()
    for name in ("multiplier", "pairs", "cuts", "refusals"):
        assert not getattr(live, name).any()
    assert live.price.item() == 2  # too low a price was why it had left
    live.taken.fill_(ending.MOST_TURNS + 1)
    assert ending.finish(live, tally, ending.Accuracy()).tolist() == [0]
    assert tally.length.item() == pytest.approx(0.9) and not tally.converged.any()


def test_a_run_that_is_not_the_shortest_known_does_not_go_back():
    live, tally = run_beside_a_bound(best=0.9999, bound=1.0)
    assert ending.finish(live, tally, ending.Accuracy()).tolist() == [0]


@pytest.mark.parametrize(("best", "ends"), [(0.99995, True), (0.9998, False)])
def test_a_run_back_at_the_best_image_ends_unless_it_is_clearly_shorter(best, ends):
    live, tally = run_beside_a_bound(best, bound=1.0)
    live.taken.fill_(1)
    live.residual.fill_(2.0)  # so that nothing else would end it
    tally.image.copy_(live.image)
    over = ending.finish(live, tally, ending.Accuracy())
    assert over.tolist() == ([0] if ends else [])
    assert tally.length.item() == pytest.approx(best if ends else 1.0)
    assert tally.converged.item()  # the minimum is the one that was known


@pytest.mark.parametrize(
    ("margin", "best", "stale", "converged"),
    [
        (1e-3, 1.5, 0, True),  # reached, whatever was before
        (-1e-3, 1.00005, ending.IDLE, True),  # the best is hardly longer
        (-1e-3, 1.00005, ending.IDLE - 1, False),  # it may still fall
        (-1e-3, 1.0002, ending.IDLE, False),  # it is noticeably longer
    ],
)
def test_a_run_has_converged_at_a_stationary_point_or_hardly_above_it(
    margin, best, stale, converged
):
    model, images = nn.Sequential(nn.Flatten(), nn.Linear(5, 3)), torch.rand(2, 5)
    wanted = torch.tensor([[True, False, False]]).repeat(2, 1)
    problem, _ = pose(network_of(model, images[0].shape), images, wanted, 1, None, None)
    live = empty(problem, 2, 1, 1)
    live.length.fill_(1.0)
    live.unit.fill_(1.0)
    live.margins.fill_(margin)
    live.best.fill_(best)
    live.stale.fill_(stale)
    live.residual.copy_(torch.tensor([0.009, 0.011]))  # the second moves too far
    assert ending.has_converged(live, ending.Accuracy()).tolist() == [converged, False]


@given(seed=st.integers(0, 1000))
def test_a_walk_climbs_the_odds_inside_the_box(seed):
    generator = seeded(seed)
    weight = torch.randn(4, 10, generator=generator)
    image = (1.6 * torch.rand(5, 10, generator=generator) - 0.3).clamp(0, 1)
    goal = torch.randint(4, (5,), generator=generator)
    rivals = ~nn.functional.one_hot(goal, 4).bool()
    odds, pull = walk.log_odds(image @ weight.T, goal, rivals)
    probability = (image @ weight.T).softmax(1).gather(1, goal[:, None])[:, 0]
    torch.testing.assert_close(odds, probability.logit(), rtol=1e-3, atol=1e-4)
    missing = walk.missing(image @ weight.T, odds)
    torch.testing.assert_close(
        walk.missing(3 * image @ weight.T, 3 * odds), 3 * missing
    )
    short = missing > 0
    taken = torch.zeros(5, dtype=torch.int64)
    unbounded = walk.longest_step(taken, torch.full((5,), torch.inf))
    assert (unbounded == walk.FIRST).all()
    after = walk.next_point(image, missing, pull @ weight, unbounded)
    assert ((after >= 0) & (after <= 1)).all()
    # Short steps go uphill; no step is longer than the perturbation known allows.
    bounded = walk.longest_step(taken, torch.full((5,), 0.01))
    near = walk.next_point(image, missing, pull @ weight, bounded)
    assert ((near - image).norm(dim=1) <= walk.WITHIN * 0.01 + 1e-6)[short].all()
    higher, _ = walk.log_odds(near @ weight.T, goal, rivals)
    assert (higher >= odds - 1e-4)[short].all()


def test_classes_are_ranked_by_their_linear_distance():
    generator = seeded(2)
    model = nn.Sequential(nn.Flatten(), nn.Linear(15, 5))
    model[1].weight.data = torch.randn(5, 15, generator=generator)
    images = 0.3 + 0.4 * torch.rand(6, 15, generator=generator)  # the box is far
    logits = model(images).detach()
    label = logits.argmax(1)
    wanted = ~nn.functional.one_hot(label, 5).bool()
    network = network_of(model, torch.Size((15,)))
    classes, estimate = ranked(network, images, wanted)
    for n in range(6):
        for nth in range(4):
            goal = classes[n, nth]
            normal = model[1].weight[goal] - model[1].weight[label[n]]
            distance = (logits[n, label[n]] - logits[n, goal]) / normal.norm()
            torch.testing.assert_close(estimate[n, nth], distance.detach())
        assert (estimate[n].diff() >= 0).all()
