"""The comparison of attacks: schedule, counts, checks, and the table of results."""

import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from torch import nn

from content_reruns import reached_modules
from intriguing.baselines import comparison, summary
from intriguing.baselines.attacks import all_attacks, our_attacks
from intriguing.baselines.comparison import (
    Attack,
    CountedImages,
    Measurements,
    checked_distortions,
    compare,
    schedule,
)
from intriguing.baselines.networks import pooled_architecture
from intriguing.baselines.task import Task, is_success, starting_points
from intriguing.errors import InputError
from intriguing.figures.baselines import baselines_figure
from intriguing.models.architecture import build
from intriguing.models.files import load_model, serialise_model
from intriguing.models.perceptron import perceptron
from intriguing.training.rectified import rectified_architecture

SLOW = st.lists(st.booleans(), min_size=1, max_size=9)


@given(SLOW, st.integers(1, 6))
def test_slow_attacks_run_in_one_round_and_the_others_in_all(slow, rounds):
    runs = Counter(schedule(slow, rounds))
    assert runs == {i: 1 if is_slow else rounds for i, is_slow in enumerate(slow)}


@given(SLOW, st.integers(2, 6))
def test_slow_attacks_are_spread_evenly_over_the_rounds(slow, rounds):
    slow = [False, *slow]  # the first run of every round
    runs = list(schedule(slow, rounds))
    firsts = [i for i, run in enumerate(runs) if run == 0]
    ends = zip(firsts, [*firsts[1:], len(runs)], strict=True)
    counts = [sum(slow[run] for run in runs[a:b]) for a, b in ends]
    assert max(counts) - min(counts) <= 1


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """Answer 1 where the first pixel exceeds the second: distances are known.

    There are two more classes, which some attacks need and no image is in.
    """
    model = perceptron([4, 4], [False])
    others = [[-9.0] * 4] * 2
    model[1].weight.data = torch.tensor([[-1.0, 1, 0, 0], [1.0, -1, 0, 0], *others])
    return model.eval().requires_grad_(False)


def task_of(count: int, targeted: bool = True) -> Task:
    pixels = torch.rand(count, 1, 2, 2, generator=torch.Generator().manual_seed(3))
    pixels[:, 0, 0] = pixels[:, 0, 0].sort(dim=1).values * 0.8 + 0.1  # all are 0
    zero = torch.zeros(count, dtype=torch.int64)
    pool = torch.cat([pixels, pixels.flip(3)])
    return Task(pixels, zero, zero + 1 if targeted else None, pool)


def swapped(model: nn.Module, task: Task) -> torch.Tensor:
    """Exchange the two pixels that matter, after two passes and one gradient."""
    points = task.images.clone().requires_grad_(True)
    model(points).sum().backward()
    with torch.no_grad():
        model(points)
    return task.images.flip(3)


def lazy(model: nn.Module, task: Task) -> torch.Tensor:
    """Succeed on every second image."""
    found = task.images.flip(3)
    found[::2] = task.images[::2]
    return found


@pytest.mark.parametrize("targeted", [True, False])
def test_lengths_and_passes_are_those_of_the_attack(network, targeted):
    task = task_of(10, targeted)
    both = [Attack("swap", swapped), Attack("lazy", lazy, slow=True)]
    found = compare(network, task, both, rounds=2).set_index("attack")
    shift = (task.images.flip(3) - task.images).flatten(1).square().mean(1).sqrt()
    np.testing.assert_allclose(found.loc["swap", "distortion"], shift, rtol=1e-6)
    assert found.loc["swap", "forwards"].eq(2).all()
    assert found.loc["swap", "backwards"].eq(1).all()
    assert found.loc["swap", "reached"].all()
    failed = ~found.loc["lazy", "reached"].to_numpy()
    assert failed.nonzero()[0].tolist() == [0, 2, 4, 6, 8]
    assert np.isinf(found.loc["lazy", "distortion"].to_numpy()[failed]).all()
    assert (found["seconds"] > 0).all()


def test_a_quick_attack_repeats_itself_on_images_as_they_were(network, monkeypatch):
    monkeypatch.setattr(comparison, "MIN_SECONDS", 0.05)
    task, seen = task_of(10, True), []

    def spoils(_model: nn.Module, given: Task) -> torch.Tensor:
        seen.append(given.images.clone())
        return given.images.zero_()

    compare(network, task, [Attack("spoils", spoils)], rounds=2)
    whole = [images for images in seen if len(images) == 10]
    assert len(whole) > 3
    assert all(torch.equal(images, task.images) for images in whole)


def test_an_attack_may_count_its_passes_itself(network):
    def counts(model: nn.Module, task: Task) -> CountedImages:
        assert not model._forward_hooks
        return CountedImages(swapped(model, task), 30, 20 * len(task.images), 4)

    own = Attack("own", counts, counts=True)
    found = compare(network, task_of(10, True), [own], rounds=2)
    assert found["reached"].all()
    assert found["forwards"].eq(3).all() and found["backwards"].eq(20).all()
    assert found["unconverged"].eq(0.4).all()


def test_passes_are_counted_while_asked_and_not_after(network):
    measured, points = Measurements(), torch.rand(3, 1, 2, 2, requires_grad=True)
    with measured.counting(network):
        network(points).sum().backward()
    network(points).sum().backward()
    assert (measured.forwards, measured.backwards) == (3, 3)


def test_images_are_clipped_to_the_box_and_fail_where_not_finite(network):
    task = task_of(3)
    images = torch.tensor([1.0, 0.0, 0.5, 0.5]).reshape(1, 1, 2, 2).repeat(3, 1, 1, 1)
    expected = checked_distortions(network, task, images)
    images = images + torch.tensor([1e-6, -1e-6, 0, 0]).reshape(1, 1, 2, 2)
    torch.testing.assert_close(checked_distortions(network, task, images), expected)
    images[1, 0, 0, 0] = torch.nan
    expected[1] = torch.inf
    torch.testing.assert_close(checked_distortions(network, task, images), expected)


@pytest.mark.parametrize("targeted", [True, False])
def test_starting_points_are_successes(network, targeted):
    task = task_of(6, targeted)
    points = starting_points(network, task)
    assert is_success(network(points).argmax(1), task).all()


def test_a_pool_without_the_target_class_is_refused(network):
    task = task_of(4)
    with pytest.raises(InputError, match="class 1"):
        starting_points(network, task._replace(pool=task.images))


# The table


def compared() -> pd.DataFrame:
    """Return three attacks on four images; the other is best on the first two."""
    lengths = {
        "minimal-8": [0.11, 0.10, 0.10, 0.10],
        "scipy": [0.12, 0.12, 0.12, 0.12],
        "other": [0.10, 0.099999, 0.2, np.inf],
    }
    cost = {"minimal-8": 0.01, "scipy": 1.0, "other": 0.1}
    parts = [
        pd.DataFrame({"attack": name, "image": range(4), "distortion": own})
        .assign(forwards=7.0, backwards=5.0, seconds=cost[name])
        .assign(reached=np.isfinite(own))
        for name, own in lengths.items()
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return summary.peers_table({"Net:targeted": compared()})


def value(table, attack, column):
    own = table[table["row"].eq(f"Net:targeted:{attack}") & table["column"].eq(column)]
    return own["value"].item()


def test_ratios_are_image_by_image_and_to_the_best_of_all(table):
    best = [0.10, 0.099999, 0.10, 0.10]
    ratio = np.array([0.11, 0.10, 0.10, 0.10]) / best
    to_baselines = np.array([0.11, 0.10, 0.10, 0.10]) / [0.10, 0.099999, 0.12, 0.12]
    expected = {"best-mean": ratio.mean(), "best-worst": ratio.max()}
    expected["baselines-mean"] = to_baselines.mean()
    for column, number in expected.items():
        found = value(table, "minimal-8", f"ratio-to-{column}")
        assert found == pytest.approx(number)


def test_failures_are_infinitely_long_and_where_another_is_shorter_is_counted(table):
    """By a part in 10,000 or more: on the second image it is shorter by rounding."""
    assert value(table, "other", "success") == 0.75
    for column in ("mean-distortion", "ratio-to-best-mean", "ratio-to-best-worst"):
        assert value(table, "other", column) == np.inf
    assert value(table, "other", "median-distortion") == pytest.approx(0.15)
    assert value(table, "other", "beats-minimal") == 0.25
    assert value(table, "scipy", "beats-minimal") == 0


def test_speeds_are_multiples_of_the_reference_where_there_is_one(table):
    assert value(table, "minimal-8", "images-per-second") == pytest.approx(100)
    assert value(table, "minimal-8", "times-scipy") == pytest.approx(100)
    assert value(table, "scipy", "times-scipy") == 1
    frame = compared().query("attack != 'scipy'")
    table = summary.peers_table({"Net:targeted": frame})
    assert set(summary.KINDS) - set(table["column"]) == {"times-scipy"}


def test_every_cell_says_on_how_many_images_it_stands(table):
    assert table["n"].eq(4).all() and table["seeds"].eq(1).all()
    assert set(table["column"]) == set(summary.KINDS)


def test_the_figure_has_a_panel_a_network_and_criterion_and_every_attack(table):
    other = table.assign(row=table["row"].str.replace(":targeted", ":untargeted"))
    figure = baselines_figure(pd.concat([table, other]))
    assert isinstance(figure, Figure)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Net, targeted",
        "Net, untargeted",
    ]
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["1 minimal-8", "2 scipy", "3 other", "fails on some images"]
    marks = [text.get_text() for text in figure.axes[0].texts]
    assert marks == ["1", "2", "3"]


# Networks


@pytest.mark.parametrize(
    ("architecture", "side"),
    [(rectified_architecture([49, 8, 10]), 7), (pooled_architecture(2), 7)],
)
def test_networks_take_images_and_come_back_from_their_files(
    tmp_path, architecture, side
):
    network, path = build(architecture).eval(), tmp_path / "network.safetensors"
    path.write_bytes(serialise_model(network, architecture, {}))
    images = torch.rand(3, 1, side, side)
    with torch.no_grad():
        assert network(images).shape == (3, 10)
        assert torch.equal(load_model(path)(images), network(images))


# Other people's libraries


def test_a_missing_library_is_said_in_one_line_with_the_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "adv_lib", None)
    monkeypatch.setitem(sys.modules, "adv_lib.attacks", None)
    monkeypatch.delitem(sys.modules, "intriguing.baselines.fromadvlib", raising=False)
    with pytest.raises(InputError) as refused:
        all_attacks(targeted=True)
    said = str(refused.value)
    assert "adv_lib" in said and "intriguing[crosscheck]" in said and "\n" not in said


def test_only_the_comparison_imports_the_libraries():
    sources = [ROOT / "src", ROOT / "scripts"]
    importing = {
        step.stem
        for step in (ROOT / "scripts").rglob("*.py")
        for path in reached_modules(step, sources)
        if path.parent.name == "baselines" and path.name.startswith("from")
    }
    assert importing == {"attack_baselines", "table_pooling"}


def ratios_to_known_distance(network, attack: Attack, task: Task) -> torch.Tensor:
    """Return lengths over half the pixels' difference on each of the two pixels."""
    result = attack.function(network, task)
    images = result.images if isinstance(result, CountedImages) else result
    first, second = task.images[:, 0, 0].unbind(1)
    exact = (((second - first) / 2).square() * 2 / 4).sqrt().double()
    return checked_distortions(network, task, images) / exact


@pytest.mark.slow
@pytest.mark.parametrize("targeted", [True, False])
def test_every_attack_comes_near_a_known_distance_and_none_below(network, targeted):
    for library in ("foolbox", "adv_lib", "botorch"):
        pytest.importorskip(library)
    for attack in all_attacks(targeted):
        ratio = ratios_to_known_distance(network, attack, task_of(4, targeted))
        # ALMA's loss is a ratio that the two idle classes distort.
        worst = 4 if attack.name.startswith("alma") else 1.1
        assert ((ratio >= 1 - 1e-4) & (ratio <= worst)).all(), attack.name


def test_our_attacks_come_near_a_known_distance(network):
    for attack in our_attacks():
        ratio = ratios_to_known_distance(network, attack, task_of(6))
        assert ((ratio >= 1 - 1e-4) & (ratio <= 1.02)).all(), attack.name
