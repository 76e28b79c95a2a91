"""The smallest perturbation of a small network with max-pooling, exactly.

Behind max-pooling a margin is neither smooth nor concave, and attacks may end in local
minima or at nonsmooth points that are none. In a network of one convolution, ReLU,
max-pooling and a linear map each pooled unit is the largest of some affine functions of
the pixels, 0 for ReLU among them. Which one it is is a binary variable, so that the
smallest perturbation solves a mixed-integer program with a quadratic objective. HiGHS
solves it with tangents in place of the squares, which bounds the length from below; the
least change with all binary variables fixed bounds it from above.
"""

from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp, nnls
from torch import nn
from torch.nn.functional import unfold

from intriguing.attack.exact import FEASIBLE
from intriguing.errors import InputError

GAP = 1e-4
"""Relative difference of the two bounds at which a solution counts as exact."""
MOST_ROUNDS = 30


class PooledOptimum(NamedTuple):
    """The nearest image of a target class, its L2 length and a lower bound of that."""

    image: Float[np.ndarray, " d"]
    length: float
    lower: float


class PooledNetwork(NamedTuple):
    """Pooled units as maxima of affine functions of the pixels, and what follows.

    Attributes:
        gradients: Of the affine functions: units, functions, pixels.
        offsets: Their values at the origin.
        weight: Of the last layer: classes, units.
        bias: Of the last layer.
    """

    gradients: Float[np.ndarray, "units functions d"]
    offsets: Float[np.ndarray, "units functions"]
    weight: Float[np.ndarray, "classes units"]
    bias: Float[np.ndarray, " classes"]

    def functions(self, image: Float[np.ndarray, " d"]) -> Float[np.ndarray, "u f"]:
        """Return the values of the affine functions."""
        return self.gradients @ image + self.offsets

    def constraints(
        self, largest: Int[np.ndarray, " units"], target: int
    ) -> tuple[Float[np.ndarray, "n d"], Float[np.ndarray, " n"]]:
        """Return where given functions are the largest and the target class wins.

        The region is that of the images x with ``normals @ x >= offsets``.
        """
        units = np.arange(len(largest))
        normals, offsets = self.gradients[units, largest], self.offsets[units, largest]
        ordered = (normals[:, None] - self.gradients).reshape(-1, normals.shape[1])
        below = (self.offsets - offsets[:, None]).ravel()
        weight, bias = margins(self, target)
        return (
            np.concatenate([ordered, weight @ normals]),
            np.concatenate([below, -bias - weight @ offsets]),
        )


def pooled_network(model: nn.Module, pixels: tuple[int, ...]) -> PooledNetwork:
    """Return the functions of a network, in float64.

    Args:
        model: Convolution, ReLU, max-pooling, flattening, linear layer.
        pixels: Channels, height and width of its images.

    Raises:
        InputError: The network has other layers.
    """
    match list(deepcopy(model).double().children()):
        case [
            nn.Conv2d() as conv,
            nn.ReLU(),
            nn.MaxPool2d() as pool,
            nn.Flatten(),
            nn.Linear() as last,
        ]:
            pass
        case _:
            raise InputError(
                "exact optima behind max-pooling need the layers Conv2d, ReLU, "
                "MaxPool2d, Flatten, Linear in this order"
            )
    count = int(np.prod(pixels))
    basis = torch.cat([torch.zeros(1, count), torch.eye(count)]).double()
    with torch.no_grad():
        values = conv(basis.reshape(-1, *pixels))
        windows = unfold(values, pool.kernel_size, stride=pool.stride)
    functions = windows.reshape(len(basis), values.shape[1], -1, windows.shape[2])
    functions = functions.transpose(2, 3).flatten(1, 2).numpy()
    functions = np.pad(functions, [(0, 0), (0, 0), (0, 1)])  # the 0 of ReLU
    gradients = np.moveaxis(functions[1:] - functions[0], 0, -1)
    weight, bias = last.weight.detach().numpy(), last.bias.detach().numpy()
    return PooledNetwork(gradients, functions[0], weight, bias)


def margins(
    network: PooledNetwork, target: int
) -> tuple[Float[np.ndarray, "others units"], Float[np.ndarray, " others"]]:
    """Return the target's logit less each other one, as a map of the pooled units."""
    weight = network.weight[target] - network.weight
    bias = network.bias[target] - network.bias
    return np.delete(weight, target, axis=0), np.delete(bias, target)


def smallest(
    network: PooledNetwork,
    clean: Float[np.ndarray, " d"],
    target: int,
    known: Float[np.ndarray, " d"],
    reach: float = np.inf,
) -> PooledOptimum:
    """Return the nearest image at which the target class at least ties.

    Args:
        network: From `pooled_network`.
        clean: The image.
        target: Class to reach.
        known: An image in the target class; the search is among shorter ones.
        reach: Largest change of a pixel of ``known``, to look near it only.

    Raises:
        RuntimeError: HiGHS finds no solution.
    """
    shift = known - clean
    radius = float(np.linalg.norm(shift)) * (1 + 1e-9)
    low = np.maximum(np.maximum(-clean, -radius), shift - reach)
    high = np.minimum(np.minimum(1 - clean, radius), shift + reach)
    program = mixed_integer_program(network, clean, target, (low, high), radius)
    image, length, lower = known, float(np.linalg.norm(shift)), 0.0
    add_tangents(program, shift / 2)
    for _ in range(MOST_ROUNDS):
        add_tangents(program, shift)
        solved = milp(**program, options={"mip_rel_gap": GAP / 5})
        if solved.x is None:
            raise RuntimeError(f"HiGHS: {solved.message}")
        shift, binary = solved.x[: len(clean)], solved.x[program["integrality"] > 0]
        largest = binary.reshape(network.offsets.shape).argmax(1)
        normals, offsets = network.constraints(largest, target)
        change = least_change(normals, offsets - normals @ clean, low, high)
        found, new = clean + change, float(np.linalg.norm(change))
        add_tangents(program, change)
        if new < length and (offsets - normals @ found).max() < FEASIBLE:
            image, length = found, new
        lower = max(solved.mip_dual_bound, 0.0) ** 0.5
        if lower > (1 - GAP) * length:
            break
    return PooledOptimum(image, length, lower)


def least_change(
    normals: Float[np.ndarray, "n d"],
    offsets: Float[np.ndarray, " n"],
    low: Float[np.ndarray, " d"],
    high: Float[np.ndarray, " d"],
) -> Float[np.ndarray, " d"]:
    """Return the shortest d with ``normals @ d >= offsets`` in a box.

    By non-negative least squares (Lawson and Hanson 1974, chapter 23). Where there is
    none the result violates a constraint.
    """
    box = np.eye(len(low))
    matrix = np.concatenate([normals, box, -box]).T
    matrix = np.vstack([matrix, np.concatenate([offsets, low, -high])])
    right = np.append(np.zeros(len(low)), 1.0)
    residual = right - matrix @ nnls(matrix, right)[0]
    return -residual[:-1] / max(residual[-1], np.finfo(float).tiny)


def mixed_integer_program(
    network: PooledNetwork,
    clean: Float[np.ndarray, " d"],
    target: int,
    box: tuple[Float[np.ndarray, " d"], Float[np.ndarray, " d"]],
    radius: float,
) -> dict[str, Any]:
    """Return the arguments of `milp`, without any tangents of the squares.

    The variables are the change of each pixel, which is within a box and a ball; at
    least its square; the pooled units; and for each affine function whether it is its
    unit's largest.
    """
    (low, high), values = box, network.functions(clean)
    units, functions, pixels = network.gradients.shape
    up, down = network.gradients.clip(0), network.gradients.clip(None, 0)
    ball = radius * np.linalg.norm(network.gradients, axis=2)
    most = values + np.minimum(up @ high + down @ low, ball)
    least = values + np.maximum(up @ low + down @ high, -ball)
    highest = most.max(1, keepdims=True)
    slack = (highest - least).ravel()
    possible = (most >= least.max(1, keepdims=True)).ravel()
    gradients, values = network.gradients.reshape(-1, pixels), values.ravel()
    squares = sparse.csr_array((len(values), pixels))
    of_unit = sparse.kron(sparse.eye(units), np.ones((functions, 1)))
    weight, bias = margins(network, target)
    matrix = sparse.bmat(
        [
            [-gradients, squares, of_unit, None],
            [gradients, None, -of_unit, -sparse.diags(slack)],
            [None, None, weight, None],
            [None, None, None, of_unit.T],
        ],
        format="csr",
    )
    floors = [values, -values - slack, -bias, np.ones(units)]
    ceilings = np.full(matrix.shape[0], np.inf)
    ceilings[-units:] = 1
    sizes = pixels, pixels, units, len(values)
    kind = np.repeat(np.arange(4), sizes)
    unbounded = np.full(pixels + units, np.inf)
    lows = np.concatenate([low, -unbounded, np.zeros(len(values))])
    return {
        "c": (kind == 1).astype(float),
        "integrality": kind == 3,
        "bounds": Bounds(lows, np.concatenate([high, unbounded, possible])),
        "constraints": [LinearConstraint(matrix, np.concatenate(floors), ceilings)],
    }


def add_tangents(program: dict[str, Any], shift: Float[np.ndarray, " d"]) -> None:
    """Bound the squares of changes from below by their tangents at some changes."""
    pixels, rest = len(shift), len(program["c"]) - 2 * len(shift)
    tangents = [sparse.diags(-2 * shift), sparse.eye(pixels)]
    matrix = sparse.hstack([*tangents, sparse.csr_array((pixels, rest))])
    program["constraints"].append(LinearConstraint(matrix.tocsr(), -(shift**2)))
