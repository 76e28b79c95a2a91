"""Lipschitz constants of whole networks, against enumeration and other solvers."""

import io
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
import torch
from bounds.small import small_network
from conftest import ROOT
from networks import images_of
from torch import nn

from intriguing.bounds import lipsdp
from intriguing.bounds.benchmark import reference_entries
from intriguing.bounds.gradients import gradient_norms, steepest_in_box
from intriguing.bounds.lipschitz import METHODS, bound_of, lipschitz, verify_lipschitz
from intriguing.bounds.network import fully_connected
from intriguing.errors import InputError
from intriguing.workflow import verification

ORDER = ("lipsdp", "eclipse-fast", "product")


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid, nn.Tanh])
@pytest.mark.parametrize("sizes", [[5, 6, 3], [5, 6, 4, 3], [4, 4, 4, 4, 2]])
def test_bounds_are_ordered_and_above_every_gradient(activation, sizes):
    model = small_network(sizes, activation)
    bounds = {name: lipschitz(model, name).upper for name in METHODS}
    for smaller, larger in pairwise(ORDER):
        assert bounds[smaller] <= bounds[larger] * (1 + 1e-6)
    assert bounds["lipsdp"] <= bounds["liplt"] * (1 + 1e-6)
    points = 3 * np.random.default_rng(0).normal(size=(2000, sizes[0]))
    norms = gradient_norms(fully_connected(model), points)
    assert norms.max() <= min(bounds.values())


def test_one_hidden_layer_is_bounded_close_to_its_best_gates():
    network = fully_connected(small_network([5, 8, 3]))
    first, last = network.weights
    best = max(
        np.linalg.norm((last * np.array(gates)) @ first, 2)
        for gates in product((0.0, 1.0), repeat=8)
    )
    assert best <= bound_of(network.weights, 1.0, "lipsdp").upper <= 1.2 * best


def test_single_units_and_linear_networks_have_their_norm():
    """Each unit acts on its own: the product is the product of the largest ones."""
    first, last = np.diag([4.0, 1.0]), np.diag([1.0, 3.0])
    assert bound_of([first, last], 1.0, "product").upper == pytest.approx(12)
    assert bound_of([first, last], 1.0, "lipsdp").upper == pytest.approx(4, rel=1e-4)
    model = small_network([4, 3])
    norm = torch.linalg.matrix_norm(model[1].weight.double(), 2)
    for name in METHODS:
        assert lipschitz(model, name).upper == pytest.approx(float(norm), rel=1e-6)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid])
def test_a_certificate_is_checked_and_a_smaller_one_refused(activation):
    model = small_network([20, 8, 6, 3], activation)
    found = lipschitz(model)
    assert verify_lipschitz(model, found)
    multipliers = found.multipliers
    smaller = multipliers._replace(square=0.999 * multipliers.square)
    assert not verify_lipschitz(model, found._replace(multipliers=smaller))
    negative = multipliers._replace(units=-multipliers.units)
    assert not verify_lipschitz(model, found._replace(multipliers=negative))
    assert not verify_lipschitz(model, found._replace(upper=0.999 * found.upper))
    assert not verify_lipschitz(model, lipschitz(model, "product"))


def test_the_search_in_the_box_only_goes_up():
    network = fully_connected(small_network([9, 7, 3], nn.Sigmoid))
    starts = images_of(4, 9).double().numpy()
    found = steepest_in_box(network, starts, 0)
    assert found >= gradient_norms(network, starts).max()
    assert found == steepest_in_box(network, starts, 0)


def test_the_norm_of_the_jacobian_is_that_of_autograd():
    model = small_network([6, 5, 4, 3], nn.Tanh)
    image = images_of(1, 6).double()
    jacobian = torch.func.jacrev(model.double())(image)[0, :, 0]
    expected = float(torch.linalg.matrix_norm(jacobian, 2))
    found = gradient_norms(fully_connected(model), image.numpy())
    assert found[0] == pytest.approx(expected)


def test_unknown_methods_and_networks_without_weights_are_refused():
    with pytest.raises(InputError, match="'best' is unknown"):
        lipschitz(small_network([3, 3, 2]), "best")
    with pytest.raises(InputError, match="weights are on the meta device"):
        lipschitz(nn.Linear(3, 3, device="meta"))


def test_lipsdp_is_the_optimum_of_another_solver():
    cvxpy = pytest.importorskip("cvxpy", reason="the extra `crosscheck` has it")
    from intriguing.bounds.lipsdp import difference_forms

    network = fully_connected(small_network([4, 5, 4, 2]))
    forms = difference_forms(network.weights, 1.0)
    square, units = cvxpy.Variable(), cvxpy.Variable(9, nonneg=True)
    quadratic = square * np.diag(forms.inputs) - forms.output.T @ forms.output
    quadratic += forms.rest.T @ cvxpy.diag(units) @ forms.rest
    quadratic -= forms.before.T @ cvxpy.diag(units) @ forms.before / 4
    problem = cvxpy.Problem(cvxpy.Minimize(square), [quadratic >> 0])
    problem.solve(solver="CLARABEL")
    ours = bound_of(network.weights, 1.0, "lipsdp").upper
    assert ours == pytest.approx(np.sqrt(problem.value), rel=1e-4)


@pytest.fixture
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_published_bounds_of_glipsdp_are_reproduced(at_root):
    names = "glipsdp-fnn.npz", "glipsdp-reference.tsv"
    if not verification.is_staged(*names):
        pytest.skip("data/raw/verification and the mirror lack GLipSDP's networks")
    entries = reference_entries(*map(verification.read_verification, names))
    table = pd.DataFrame(entries).pivot(index="row", columns="column")
    for name in ("product", "liplt", "lipsdp"):
        ratio = table["value"][name] / table["published"][name]
        assert (ratio - 1).abs().max() < 1e-4
    assert (table["value"]["lipsdp"] >= table["published"]["lower"]).all()


def test_a_changed_benchmark_file_is_refused(tmp_path, at_root, monkeypatch):
    folder = tmp_path / "verification"
    folder.mkdir()
    (folder / "glipsdp-fnn.npz").write_bytes(io.BytesIO(b"other").getvalue())
    monkeypatch.setenv("INTRIGUING_MIRROR", str(tmp_path))
    with pytest.raises(InputError, match="sha256"):
        verification.read_verification("glipsdp-fnn.npz")
    with pytest.raises(InputError, match="is missing"):
        verification.read_verification("glipsdp-reference.tsv")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_layer_of_zeros_makes_a_constant_function(method, layer):
    model = small_network([5, 6, 4, 3])
    linear = [one for one in model if isinstance(one, nn.Linear)]
    linear[layer].weight.data.zero_()
    assert lipschitz(model, method).upper == 0


def test_dead_units_change_no_bound():
    model = small_network([5, 6, 4, 3])
    first, second, last = (one for one in model if isinstance(one, nn.Linear))
    first.weight.data[2] = 0  # constant
    second.weight.data[:, 4] = 0  # not used
    last.weight.data[:, 1] = 0  # not used, and then no more what feeds it alone
    second.weight.data[[0, 2, 3], 0] = 0
    alive = [1, 3, 5], [0, 2, 3]
    smaller = small_network([5, 3, 3, 3])
    parts = zip(
        (one for one in smaller if isinstance(one, nn.Linear)),
        (first.weight[alive[0]], second.weight[alive[1]][:, alive[0]]),
        strict=False,
    )
    for layer, weight in parts:
        layer.weight.data.copy_(weight)
    smaller[-1].weight.data.copy_(last.weight[:, alive[1]])
    for method in METHODS:
        found, known = lipschitz(model, method), lipschitz(smaller, method)
        assert found.upper == pytest.approx(known.upper)
        assert verify_lipschitz(model, found) == (method == "lipsdp")


@pytest.mark.parametrize("method", METHODS)
def test_a_network_whose_units_all_die_is_constant(method):
    model = small_network([5, 2, 2, 3])
    _, second, last = (one for one in model if isinstance(one, nn.Linear))
    second.weight.data[0], last.weight.data[:, 1] = 0, 0
    assert lipschitz(model, method).upper == 0


@pytest.fixture
def deep_and_aligned():
    """Return six hidden layers with a strong common direction, as training leaves them.

    Thirty Newton steps for each barrier end 4 % above the smallest bound.
    """
    generator = np.random.default_rng(0)
    model = small_network([20, *[24] * 6, 4])
    linear = [one for one in model if isinstance(one, nn.Linear)]
    for layer in linear[1:-1]:
        common = np.abs(generator.normal(size=24)) / 24**0.5
        weight = 0.2 * np.eye(24) + 2 * np.outer(common, common)
        weight += 0.05 * generator.normal(size=(24, 24))
        layer.weight.data = torch.from_numpy(weight).float()
    return model


def test_the_bound_of_a_deep_network_has_converged(deep_and_aligned, monkeypatch):
    found = lipschitz(deep_and_aligned)
    assert verify_lipschitz(deep_and_aligned, found)
    monkeypatch.setattr(lipsdp, "STEPS", 4 * lipsdp.STEPS)
    assert lipschitz(deep_and_aligned).upper == pytest.approx(found.upper, rel=1e-4)


def test_a_search_that_did_not_converge_is_no_bound(monkeypatch):
    monkeypatch.setattr(lipsdp, "STEPS", 1)
    model = small_network([9, *[10] * 6, 3])
    with pytest.raises(ArithmeticError, match=r"above .* in closed form"):
        lipschitz(model)
