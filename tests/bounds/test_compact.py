"""Compact proofs, against enumeration of gates, closed forms and counted operations."""

from itertools import pairwise, product

import numpy as np
import pytest
import torch
from bounds.small import small_network
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from intriguing.bounds import compact
from intriguing.bounds.lipschitz import METHODS, bound_of, eclipse_fast, liplt
from intriguing.bounds.lipschitz import product as product_of_norms
from intriguing.bounds.lipsdp import Multipliers
from intriguing.bounds.network import fully_connected
from intriguing.errors import InputError


def weights_of(sizes, seed=0, activation=nn.ReLU):
    return fully_connected(small_network(sizes, activation, seed)).weights


def layerwise(weights, steepest, multipliers):
    """Return the bound that multipliers prove, layer by layer."""
    half, units = steepest / 2, multipliers.units / multipliers.square
    inner = weights[0] @ weights[0].T
    ends = np.cumsum([len(weight) for weight in weights[:-1]])[:-1]
    for weight, own in zip(weights[1:], np.split(units, ends), strict=True):
        matrix = np.diag(own) - half**2 * own[:, None] * inner * own
        np.linalg.cholesky(matrix)
        inner = weight @ np.linalg.inv(matrix) @ weight.T
    return float(np.sqrt(np.linalg.norm(inner, 2)))


def steepest_gates(weights):
    """Return the largest norm of the Jacobian over all patterns of gates."""
    sizes, largest = [len(weight) for weight in weights[:-1]], 0.0
    for pattern in product((0.0, 1.0), repeat=sum(sizes)):
        jacobian = weights[0]
        for weight, gates in zip(
            weights[1:], np.split(pattern, np.cumsum(sizes)[:-1]), strict=True
        ):
            jacobian = (weight * gates) @ jacobian
        largest = max(largest, np.linalg.norm(jacobian, 2))
    return largest


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sizes", [[5, 6, 3], [4, 4, 4, 3], [3, 3, 3, 3, 2]])
def test_every_proof_is_above_all_patterns_of_gates(sizes, seed):
    weights = weights_of(sizes, seed)
    known = {name: bound_of(weights, 1.0, name).upper for name in METHODS}
    found = compact.proofs(weights, 1.0, known | {"box": steepest_gates(weights)})
    assert {proof.family for proof in found} >= {*METHODS, "rank 1"}
    assert all(0 < proof.tightness <= 1 for proof in found)


def test_any_directions_prove_a_bound():
    """The certificate need not come from a singular value decomposition."""
    weights = weights_of([4, 4, 4, 3])
    generator = np.random.default_rng(0)
    for rank in (1, 2, 3):
        rows = [
            np.linalg.qr(generator.normal(size=(weight.shape[1], rank)))[0].T
            for weight in weights
        ]
        assert compact.low_rank(weights, 1.0, rows) >= steepest_gates(weights)


@pytest.mark.parametrize("steepest", [1.0, 0.25])
def test_at_full_rank_the_bound_is_that_of_liplt(steepest):
    weights = weights_of([9, 7, 8, 6, 3])
    rows = compact.leading_directions(weights, 9)
    found = compact.low_rank(weights, steepest, rows)
    assert found == pytest.approx(liplt(weights, steepest), rel=1e-7)


def test_directions_without_outputs_explain_nothing():
    """The residuals are the matrices, and half and rest of a slope add up to it."""
    padded = [np.pad(weight, ((0, 1), (0, 1))) for weight in weights_of([4, 5, 4, 2])]
    rows = [np.eye(weight.shape[1])[-1:] for weight in padded]
    found = compact.low_rank(padded, 1.0, rows)
    assert found == pytest.approx(product_of_norms(padded, 1.0), rel=1e-7)


def test_a_residual_enters_once_a_layer_as_by_hand():
    weights = [np.diag([4.0, 1.0]), np.diag([1.0, 3.0])]
    found = compact.low_rank(weights, 1.0, compact.leading_directions(weights, 1))
    path = np.hypot(0.5 * 4, 0.5 * np.sqrt(10))
    assert found == pytest.approx(path + 0.5 * np.sqrt(10) * np.sqrt(17))


def test_directions_are_checked():
    weights = weights_of([4, 5, 3])
    rows = compact.leading_directions(weights, 2)
    with pytest.raises(InputError, match="not orthonormal"):
        compact.low_rank(weights, 1.0, [1.001 * rows[0], rows[1]])
    with pytest.raises(InputError, match="rank 0: give at least 1"):
        compact.leading_directions(weights, 0)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid])
def test_multipliers_of_lipsdp_are_proved_layer_by_layer(activation):
    weights = weights_of([9, 7, 8, 6, 3], activation=activation)
    steepest = 0.25 if activation is nn.Sigmoid else 1.0
    found = bound_of(weights, steepest, "lipsdp")
    proved = layerwise(weights, steepest, found.multipliers)
    assert 0.9999 * found.upper <= proved <= found.upper * (1 + 1e-9)
    weak = found.multipliers._replace(units=0.5 * found.multipliers.units)
    with pytest.raises(np.linalg.LinAlgError):
        layerwise(weights, steepest, weak._replace(square=0.1 * weak.square))


def test_one_multiplier_a_layer_proves_the_bound_of_eclipse():
    """With one hidden layer it is the inverse of half the squared norm."""
    weights = weights_of([9, 7, 3])
    units = np.full(7, 2 / np.linalg.norm(weights[0], 2) ** 2)
    found = layerwise(weights, 1.0, Multipliers(1.0, units))
    assert found == pytest.approx(eclipse_fast(weights, 1.0))


class Counted(np.ndarray):
    """An array whose matrix products are made by torch, which counts them."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        arrays = [np.asarray(each) for each in inputs]
        if ufunc is np.matmul:
            tensors = [torch.from_numpy(np.ascontiguousarray(each)) for each in arrays]
            return (tensors[0] @ tensors[1]).numpy().view(Counted)
        kwargs.pop("out", None)
        found = getattr(ufunc, method)(*arrays, **kwargs)
        return found.view(Counted) if isinstance(found, np.ndarray) else found


def counted_products(proof, weights, *args):
    counted = [weight.view(Counted) for weight in weights]
    with FlopCounterMode(display=False) as counter:
        proof(counted, 1.0, *args)
    return counter.get_total_flops()


SIZES = [90, 40, 30, 50, 8]


def factorisations(sizes):
    """Return the operations of the factorisations of all Gram matrices of norms."""
    return sum(min(shape) ** 3 / 3 for shape in pairwise(sizes))


def test_operations_of_the_families_are_those_that_torch_counts():
    """Counted are matrix products; what else is stated are factorisations."""
    counted = counted_products(product_of_norms, weights_of(SIZES))
    stated = compact.product_operations(SIZES)
    assert stated - factorisations(SIZES) == pytest.approx(counted)
    weights = weights_of(SIZES)
    counted = counted_products(liplt, weights)
    norms = sum(
        min(outputs, inputs) ** 3 / 3
        for last, outputs in enumerate(SIZES[1:])
        for inputs in SIZES[: last + 1]
    )
    assert compact.liplt_operations(SIZES) - norms == pytest.approx(counted)
    units = np.repeat([0.1, 0.01, 0.001], SIZES[1:-1])
    multipliers = Multipliers(np.prod([1e3] * 3), units)
    counted = counted_products(layerwise, weights, multipliers)
    inverses = sum(size**3 for size in SIZES[1:-1]) + SIZES[-1] ** 3 / 3
    assert compact.layerwise_operations(SIZES) - inverses == pytest.approx(counted)


@pytest.mark.parametrize("rank", [1, 5, 10])
def test_operations_of_low_rank_are_those_that_torch_counts(rank):
    weights = weights_of(SIZES)
    rows = compact.leading_directions(weights, rank)
    seen = [each.view(Counted) for each in rows]
    counted = counted_products(compact.low_rank, weights, seen)
    small = sum(
        min(outputs, rank) ** 3 / 3
        for last, outputs in enumerate(SIZES[1:])
        for _ in range(last + 1)
    )
    stated = compact.low_rank_operations(SIZES, rank) - factorisations(SIZES)
    assert stated - small == pytest.approx(counted)


def test_the_freedom_left_is_counted_by_hand():
    """Two hidden layers, of 4 and 5 units."""
    weights = weights_of([6, 4, 5, 3])
    known = dict.fromkeys((*METHODS, "box"), 1.0)
    left = {
        proof.family: proof.unexplained for proof in compact.proofs(weights, 1.0, known)
    }
    assert left["lipsdp"] == 4 + 5
    assert left["product"] == left["liplt"] == 16 + 25
    assert left["rank 1"] == 16 + 25 + 5 * 3 + 3 * 4 + 4 * 2
    assert left["rank 4"] == 16 + 25 + 1 * 0
