"""The minimal attack on fully connected networks, compiled as a whole."""

import pytest
import torch
from minimal_cases import images_of, lengths, some_classes, stack, targeted
from torch import nn

from intriguing.attack import minimal
from intriguing.attack.compilation import entry_point
from intriguing.attack.minimal import constants as c
from intriguing.attack.minimal.compiled import dense
from intriguing.attack.minimal.network import margin_weights, network_of
from intriguing.attack.objective import target_mask_of
from intriguing.errors import InputError

PIXELS, CLASSES = 30, 6


@entry_point
def pass_both_ways(network, points, chosen, rows, weights):
    dense.forward(network, points, chosen)
    dense.backward(network, rows, weights)


@torch.no_grad()
@pytest.mark.parametrize("function", [nn.Sigmoid, nn.Tanh, nn.ReLU, nn.Softplus])
@pytest.mark.parametrize("widths", [[], [8], [7, 13], [1, 5, 9]])
@pytest.mark.parametrize("count", [1, 4, 11])
def test_both_passes_are_those_of_torch(function, widths, count):
    model, points = (
        stack([PIXELS, *widths, CLASSES], function, 1),
        images_of(20, PIXELS, 2),
    )
    both = network_of(model, points.shape[1:])
    chosen = torch.randperm(20, generator=torch.Generator().manual_seed(3))[:count]
    logits = both.forward(points[chosen])
    rows = torch.arange(count).repeat_interleave(torch.arange(count) % 4)
    weights = margin_weights(rows % CLASSES, (rows + 2) % CLASSES, logits)
    passes = dense.with_room(dense.dense_of(both.layers), count, len(rows))
    given = (points.numpy(), chosen.numpy(), rows.numpy(), weights.numpy())
    pass_both_ways(passes, *given)
    found = torch.from_numpy(passes.logits)
    torch.testing.assert_close(found, logits, rtol=1e-5, atol=1e-5)
    if len(rows):
        gradients = torch.from_numpy(passes.gradients)
        expected = both.backward(points[chosen][rows], weights)
        torch.testing.assert_close(gradients, expected, rtol=1e-5, atol=1e-5)


def network(function: type[nn.Module], seed: int) -> nn.Sequential:
    return stack([PIXELS, 16, 12, CLASSES], function, seed)


def test_other_networks_go_the_way_of_torch():
    first, last = nn.Linear(PIXELS, 8), nn.Linear(8, CLASSES)
    assert dense.dense_of((first, nn.Sigmoid(), last)) is not None
    assert dense.dense_of(()) is None  # no stack at all
    assert dense.dense_of((first, nn.GELU(), last)) is None
    assert dense.dense_of((first, last)) is None
    assert dense.dense_of((first, nn.Softplus(2), last)) is None
    assert dense.dense_of((first, nn.ReLU(), nn.ReLU(), last)) is None
    assert dense.dense_of((first.double(), nn.ReLU(), last.double())) is None


@pytest.mark.parametrize("goal", [targeted, some_classes])
@pytest.mark.parametrize("starts", [1, 5])
@pytest.mark.parametrize("function", [nn.Sigmoid, nn.Tanh, nn.ReLU])
def test_the_whole_finds_what_passes_in_torch_find(goal, starts, function, monkeypatch):
    model, images = network(function, 5), images_of(60, PIXELS, 6)
    given = {"starts": starts}
    if starts > 1:
        others = images_of(200, PIXELS, 7)
        predictions, targets = model(others).argmax(1), model(images).argmax(1) + 1
        place = [int((predictions == g % CLASSES).nonzero()[0, 0]) for g in targets]
        given |= {"start_images": others, "known": others[place]}
    whole = minimal.search(model, images, goal(model, images), **given)
    monkeypatch.setattr(dense, "dense_of", lambda layers: None)
    python = minimal.search(model, images, goal(model, images), **given)
    assert whole.success.all() and python.success.all()
    found, expected = lengths(whole, images), lengths(python, images)
    like = torch.ones(len(images), dtype=torch.bool)
    if (
        function is nn.ReLU
    ):  # a nonsmooth point may part two paths that rounding keeps apart
        like = (found / expected - 1).abs() < 1e-4
        assert like.float().mean() > 0.9
    else:
        # A run ends within 7e-5 of the length, and 1e-6, of what it could still reach.
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=2e-6)
        assert (whole.start == python.start).float().mean() > 0.95
        assert (whole.tied == python.tied).float().mean() > 0.95
    for name in ("evaluations", "gradients", "iterations"):
        counted, others = (getattr(one, name)[like].sum() for one in (whole, python))
        assert abs(counted / others - 1) < 0.05


@pytest.mark.parametrize("seed", [9, 14, 15, 23])
def test_at_nonsmooth_points_every_run_that_reaches_its_target_ends(seed):
    """Of these, runs were stuck where cutting planes did not move the candidate."""
    model, images = network(nn.ReLU, seed + 5), images_of(200, PIXELS, seed + 6)
    found = minimal.search(model, images, targeted(model, images))
    assert found.success.float().mean() > 0.98
    assert found.converged[found.success].all()


@pytest.mark.parametrize("starts", [1, 4])
def test_neither_slots_nor_threads_change_a_bit(starts, monkeypatch):
    model, images = network(nn.Sigmoid, 8), images_of(50, PIXELS, 9)
    given = {"starts": starts, "start_images": images_of(100, PIXELS, 10)}
    mask = some_classes(model, images)
    plain = minimal.search(model, images, mask, **given)
    few = minimal.search(model, images, mask, slots=3, **given)
    monkeypatch.setattr(c, "THREAD_IMAGES", 7)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    threads = minimal.search(model, images, mask, **given)
    for other in (few, threads):
        for one, same in zip(plain, other, strict=True):
            assert torch.equal(one, same)


@pytest.mark.parametrize("broken", [torch.nan, torch.inf])
def test_infinite_logits_are_refused(broken):
    model, images = stack([PIXELS, 8, CLASSES], nn.ReLU, 1), images_of(5, PIXELS, 1)
    wanted = target_mask_of(CLASSES, torch.arange(5), None)
    model[-1].bias.data[2] = broken
    with pytest.raises(InputError, match="NaN or infinite logits"):
        minimal.search(model, images, wanted)
