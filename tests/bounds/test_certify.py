"""Certified distances against exact ones, and the check of certificates."""

import warnings
from importlib import import_module

import numpy as np
import pytest
import torch
from bounds.small import exact_distance, small_network
from networks import images_of
from torch import nn

from intriguing.attack.watch import InterruptedWarning
from intriguing.bounds import (
    certify,
    decisions,
    load_certificates,
    save_certificates,
    verify,
)
from intriguing.bounds.certificates import BY_LEAVES
from intriguing.bounds.intervals import Ball
from intriguing.bounds.network import fully_connected
from intriguing.errors import InputError

SIZES = [3, 4, 3, 3]


@pytest.fixture(scope="module")
def model():
    return small_network(SIZES, seed=2)


@pytest.fixture(scope="module")
def images():
    return images_of(6, 1, 1, 3)


@pytest.fixture(scope="module")
def labels(model, images):
    return model(images).argmax(1)


@pytest.fixture(scope="module")
def exact(model, images, labels):
    points = images.flatten(1).double().numpy()
    pairs = zip(points, labels, strict=True)
    distances = np.array([exact_distance(model, x, int(y)) for x, y in pairs])
    assert np.isfinite(distances).sum() >= 3
    return distances


@pytest.fixture(scope="module")
def largest(model, images, labels):
    return certify(model, images, labels)


def test_the_largest_radius_is_just_below_the_exact_distance_and_proved(
    largest, exact, model, images, labels
):
    finite = np.isfinite(exact)
    assert (largest.radius[finite] <= exact[finite] * (1 + 1e-6)).all()
    assert (largest.radius[finite] >= 0.99 * exact[finite]).all()
    assert (largest.radius > 0).all()
    assert verify(model, images, labels, largest.certificate).all()


@pytest.mark.parametrize(
    ("share", "status"), [(0.97, "certified"), (1.05, "falsified")]
)
def test_a_radius_is_decided_by_the_exact_distance(
    model, images, labels, exact, share, status
):
    for row in np.flatnonzero(np.isfinite(exact)):
        one, label = images[row : row + 1], labels[row : row + 1]
        found = certify(model, one, label, share * float(exact[row]))
        assert found.status == [status]
        changed = model(found.counterexample).argmax(1) != label
        assert bool(changed) == (status == "falsified")
        apart = (found.counterexample - one).double().norm()
        assert apart <= share * exact[row]


def test_what_the_check_refuses_is_not_certified(
    model, images, labels, largest, monkeypatch
):
    """As it may, where a margin that a program proves is within its rounding."""
    allowed = 0.9 * largest.radius.max()
    accepts = decisions.leaf_proves
    monkeypatch.setattr(
        decisions,
        "leaf_proves",
        lambda claim, *others: claim.radius < allowed and accepts(claim, *others),
    )
    found = certify(model, images, labels)
    by_leaves = (found.certificate.proof == BY_LEAVES).any(1)
    assert by_leaves.any()
    assert (found.radius[by_leaves] < allowed).all()
    assert verify(model, images, labels, found.certificate).all()


@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.Tanh, nn.ReLU])
@pytest.mark.parametrize("method", ["product", "crown"])
def test_cheap_methods_are_checked_for_each_activation(activation, method, images):
    model = small_network([3, 5, 4, 3], activation)
    labels = model(images).argmax(1)
    found = certify(model, images, labels, method=method)
    assert (found.radius > 0).all()
    assert verify(model, images, labels, found.certificate).all()
    nearest = (found.counterexample - images).flatten(1).norm(dim=1).numpy()
    assert (found.radius <= np.where(nearest > 0, nearest, np.inf)).all()


@pytest.fixture(scope="module", params=[nn.Sigmoid, nn.Tanh])
def curved(request, images):
    """Return a network of curves, its labels, and what is certified."""
    model = small_network([3, 5, 4, 3], request.param, seed=1, scale=6.0)
    labels = model(images).argmax(1)
    return model, labels, certify(model, images, labels)


def test_programs_certify_more_of_sigmoid_and_tanh_networks(images, curved):
    model, labels, found = curved
    assert verify(model, images, labels, found.certificate).all()
    nearest = (found.counterexample - images).flatten(1).norm(dim=1).numpy()
    flipped = nearest > 0
    assert flipped.sum() >= 2
    assert (found.radius <= np.where(flipped, nearest, np.inf)).all()
    cheap = certify(model, images, labels, method="crown").radius
    assert (found.radius / cheap)[flipped].mean() > 1.1


def test_distances_of_a_sigmoid_network_are_nearly_closed(images):
    model = small_network([3, 5, 4, 3], nn.Sigmoid, seed=2, scale=6.0)
    labels = model(images).argmax(1)
    found = certify(model, images, labels)
    nearest = (found.counterexample - images).flatten(1).norm(dim=1).numpy()
    assert (nearest > 0).all()
    assert (found.radius >= 0.98 * nearest).all()


def test_other_polynomials_are_refused(images, curved):
    model, labels, found = curved
    certificate = found.certificate
    owner = certificate.leaf_image[0]
    units = certificate.leaf_units
    for place, value in (((0, 5), -9.0), ((0, 3), -9.0), ((0, 0), np.nan)):
        false = certificate._replace(leaf_units=changed(units, place, value))
        assert not verify(model, images, labels, false)[owner]
    larger = certificate._replace(leaf_value=certificate.leaf_value + 5)
    assert not verify(model, images, labels, larger)[owner]


def test_a_linear_network_is_certified_up_to_its_nearest_counterexample():
    """In ball and box, where CROWN is exact."""
    model = small_network([5, 3], seed=1)
    images = images_of(6, 5)
    labels = model(images).argmax(1)
    found = certify(model, images, labels)
    nearest = (found.counterexample - images).norm(dim=1).numpy()
    flipped = nearest > 0
    assert flipped.sum() >= 3
    np.testing.assert_allclose(found.radius[flipped], nearest[flipped], rtol=2e-3)
    assert verify(model, images, labels, found.certificate).all()


def test_a_proof_for_the_box_is_none_for_the_ball(model, images, labels, largest):
    certificate = largest.certificate
    assert certificate.in_box.any()
    assert not largest.on_ball[certificate.in_box].any()
    false = certificate._replace(in_box=np.zeros(len(images), bool))
    proved = verify(model, images, labels, false)
    assert not proved[certificate.in_box].all()


def test_a_linear_network_is_certified_up_to_its_margin():
    model = small_network([3, 3], seed=1)
    images = images_of(5, 3)
    logits = model(images).double().numpy()
    labels, weight = logits.argmax(1), model[1].weight.double().numpy()
    found = certify(model, images, labels, method="product")
    for row, label in enumerate(labels):
        others = np.arange(3) != label
        gaps = logits[row, label] - logits[row, others]
        lengths = np.linalg.norm(weight[label] - weight[others], axis=1)
        assert found.radius[row] <= (gaps / lengths).min() + 1e-6
    assert verify(model, images, labels, found.certificate).all()


def test_branching_proves_what_one_program_does_not(model, images, labels, exact):
    steps = [
        decisions.ladder(fully_connected(model), method, 200, 0)
        for method in ("sdp", "branch-and-bound")
    ]
    points = images.flatten(1).double().numpy()
    statuses = [
        [
            decisions.decide(
                one, Ball(points[row], 0.999 * exact[row], True), int(labels[row])
            )
            for row in np.flatnonzero(np.isfinite(exact))
        ]
        for one in steps
    ]
    single, branched = ([d.status for d in found] for found in statuses)
    assert set(branched) == {"certified"}
    assert single.count("certified") <= branched.count("certified")


def changed(array, place, value):
    copy = array.copy()
    copy[place] = value
    return copy


@pytest.mark.parametrize("factor", [1.02, 2.0])
def test_a_larger_radius_is_refused(model, images, labels, largest, factor):
    certificate = largest.certificate
    false = certificate._replace(radius=factor * certificate.radius)
    assert not verify(model, images, labels, false).any()


def altered(field, value):
    """Return how to alter the entry of the first leaf, or of its image."""

    def alter(certificate, row):
        place = 0 if field.startswith("leaf") else row
        place = (row, 0) if field == "lower" else place
        return {field: changed(getattr(certificate, field), place, value)}

    return alter


def without_a_branch(certificate, row):
    unstable = (certificate.lower[row] < 0) & (certificate.upper[row] > 0)
    place = 0, int(np.flatnonzero(unstable)[0])
    return {"leaf_splits": changed(certificate.leaf_splits, place, 1)}


@pytest.mark.parametrize(
    "alter",
    [
        *(
            altered(field, value)
            for field in ("leaf_ball", "leaf_units", "leaf_value")
            for value in (-1.0, np.nan)
        ),
        altered("lower", 10.0),
        *(altered("proof", cheaper) for cheaper in (0, 1)),
        without_a_branch,
    ],
)
def test_an_altered_proof_is_refused(model, images, labels, largest, alter):
    """Of multipliers, an interval, the method, or the branches."""
    certificate = largest.certificate
    row = int(certificate.leaf_image[0])
    false = certificate._replace(**alter(certificate, row))
    assert not verify(model, images, labels, false)[row]


def test_other_labels_and_another_network_are_refused(model, images, labels, largest):
    wrong = (labels + 1) % SIZES[-1]
    assert not verify(model, images, wrong, largest.certificate).any()
    other = small_network(SIZES, seed=5)
    assert not verify(other, images, other(images).argmax(1), largest.certificate).all()
    with pytest.raises(InputError, match="lower has shape"):
        verify(small_network([3, 5, 3]), images, labels, largest.certificate)


def test_certificates_survive_a_file(tmp_path, largest):
    save_certificates(tmp_path / "proofs.safetensors", largest.certificate)
    loaded = load_certificates(tmp_path / "proofs.safetensors")
    for one, other in zip(loaded, largest.certificate, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(InputError, match="no file of certificates"):
        load_certificates(tmp_path / "missing.safetensors")


def test_misclassified_images_are_falsified_by_themselves(model, images, labels):
    found = certify(model, images, (labels + 1) % SIZES[-1], 0.1)
    assert found.status == ["falsified"] * len(images)
    torch.testing.assert_close(found.counterexample, images)
    assert not found.radius.any()


def test_an_interrupt_returns_what_is_decided(model, images, labels, monkeypatch):
    calls = []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return decisions.decide(*arguments)

    monkeypatch.setattr(
        import_module("intriguing.bounds.certify"), "decide", interrupted
    )
    with pytest.warns(UserWarning, match="interrupted after 2 of 6 images"):
        found = certify(model, images, labels, 1e-3)
    assert found.status == ["certified"] * 2 + ["undecided"] * 4


def test_an_interrupt_of_the_attack_ends_it_all(model, images, labels, monkeypatch):
    def interrupted(*_, **__):
        warnings.warn("interrupted with 0 images", InterruptedWarning, stacklevel=2)

    chapter = import_module("intriguing.bounds.certify")
    monkeypatch.setattr(chapter, "find_adversarial", interrupted)
    with pytest.warns(InterruptedWarning, match="interrupted after 0 of 6 images"):
        found = certify(model, images, labels)
    assert found.status == ["undecided"] * 6
    assert not found.radius.any()


def test_a_result_is_shown_in_a_few_lines(model, images, labels):
    assert len(repr(certify(model, images, labels, 1e-3))) < 500


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"radius": -1}, "radius"),
        ({"radius": np.nan}, "radius"),
        ({"radius": 1.8}, "radius: 1.8; no image is farther away than 1.73"),
        ({"method": "lucky"}, "method"),
        ({"labels": [9]}, "labels"),
        ({"images": images_of(1, 4)}, "images: 4 pixels"),
        ({"images": images_of(1, 3) + 1}, "images"),
        ({"model": nn.Conv2d(1, 1, 1)}, "model"),
        ({"model": nn.Sequential(nn.Flatten(), nn.Linear(3, 2), nn.ELU())}, "model"),
    ],
)
def test_bad_input_is_named(model, change, said):
    given = {"model": model, "images": images_of(1, 3), "labels": [0], "radius": 1}
    with pytest.raises(InputError, match=said):
        certify(**(given | change))


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize("make", [torch.jit.script, torch.fx.symbolic_trace])
def test_compiled_models_are_refused_in_words(model, images, labels, make):
    with pytest.raises(InputError, match="give the module from which it was made"):
        certify(make(model), images, labels, 0.1)


def test_mixed_activations_are_refused():
    layers = nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2)
    with pytest.raises(InputError, match="ReLU, Tanh"):
        certify(nn.Sequential(nn.Flatten(), *layers), images_of(1, 3), [0])


@pytest.mark.parametrize("radius", [None, 0.05])
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.float16])
def test_what_is_certified_are_the_images_as_given(model, images, labels, kind, radius):
    """In float64 they are not those that a model in float32 takes."""
    given = (images.double().numpy() / 3 * (1 - 1e-9)).astype(kind)
    classes = model(torch.from_numpy(given.astype(np.float32))).argmax(1)
    found = certify(model, given, classes, radius)
    proved = verify(model, given, classes, found.certificate)
    assert (found.radius > 0).sum() >= 3
    assert proved[found.radius > 0].all()


def test_a_model_in_half_precision_is_certified(images):
    half = small_network(SIZES, seed=2).half()
    given = images.half()
    classes = half(given).argmax(1)
    found = certify(half, given, classes, 0.02)
    assert verify(half, given, classes, found.certificate).any()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"nodes": 0}, "nodes: 0; give a whole number from 1 on"),
        ({"seed": -1}, "seed: -1; give a whole number from 0 on"),
        ({"radius": True}, "radius"),
    ],
)
def test_settings_out_of_range_are_named(model, images, labels, wrong, said):
    with pytest.raises(InputError, match=said):
        certify(model, images, labels, **wrong)
