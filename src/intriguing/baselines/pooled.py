"""The smallest perturbation of a small network with max-pooling, exactly.

Behind max-pooling a margin is neither smooth nor concave, and attacks may end in local
minima or at nonsmooth points that are none. In a network of one convolution, ReLU,
max-pooling and a linear map each pooled unit is the largest of some affine functions of
the pixels, 0 for ReLU among them. Which one it is is a binary variable, so that the
smallest perturbation solves a mixed-integer program with a quadratic objective. HiGHS
solves it with tangents in place of the squares, which bounds the length from below; the
projection with all binary variables fixed bounds it from above.
"""

from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp
from torch import Tensor, nn
from torch.nn.functional import unfold

from intriguing.attack.exact import FEASIBLE, LinearOptima, float64, project
from intriguing.errors import InputError

LAYERS = (nn.Conv2d, nn.ReLU, nn.MaxPool2d, nn.Flatten, nn.Linear)
GAP = 1e-4
"""Relative difference of the two bounds at which a solution counts as exact."""
MOST_ROUNDS = 30


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


def pooled_network(model: nn.Module, pixels: tuple[int, int, int]) -> PooledNetwork:
    """Return the functions of a network, in float64.

    Args:
        model: Convolution, ReLU, max-pooling, flattening, linear layer.
        pixels: Channels, height and width of its images.

    Raises:
        InputError: The network has other layers.
    """
    layers = list(deepcopy(model).double().children())
    if [type(layer) for layer in layers] != list(LAYERS):
        names = ", ".join(kind.__name__ for kind in LAYERS)
        raise InputError(f"exact optima behind max-pooling need the layers {names}")
    conv, _, pool, _, last = layers
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
) -> LinearOptima:
    """Return the nearest image at which the target class at least ties.

    Args:
        network: From `pooled_network`.
        clean: The image.
        target: Class to reach.
        known: An image in the target class; the search is among shorter ones.
        reach: Largest change of a pixel of ``known``, to look near it only.
    """
    radius = np.linalg.norm(known - clean) * (1 + 1e-9)
    low = np.maximum.reduce([-clean, np.full_like(clean, -radius), known - clean - reach])
    high = np.minimum.reduce([1 - clean, np.full_like(clean, radius), known - clean + reach])
    program = Program(network, clean, target, (low, high), radius)
    best = LinearOptima(*float64(known, np.linalg.norm(known - clean), 0.0, 0.0))
    for share in (0.5, 1.0):
        program.add_tangents(share * (known - clean))
    for _ in range(MOST_ROUNDS):
        shift, largest, lower = program.solve()
        program.add_tangents(shift)
        found = project(*network.constraints(largest, target), clean)
        if found.violation <= FEASIBLE:
            program.add_tangents(found.image.numpy() - clean)
            best = min(best, found, key=lambda one: one.length)
        best = best._replace(lower=torch.tensor(lower))
        if lower > (1 - GAP) * best.length:
            break
    return best


class Program:
    """The mixed-integer program of one image, whose tangents are added to.

    Its variables are the change of each pixel, at least the square of each, the pooled
    units, and for each affine function whether it is its unit's largest.
    """

    def __init__(
        self,
        network: PooledNetwork,
        clean: Float[np.ndarray, " d"],
        target: int,
        box: tuple[np.ndarray, np.ndarray],
        radius: float,
    ) -> None:
        (low, high), values = box, network.functions(clean)
        units, functions, pixels = network.gradients.shape
        self.sizes = pixels, pixels, units, units * functions
        up, down = network.gradients.clip(0), network.gradients.clip(None, 0)
        reach = radius * np.linalg.norm(network.gradients, axis=2)
        most = values + np.minimum(up @ high + down @ low, reach)
        least = values + np.maximum(up @ low + down @ high, -reach)
        possible = most >= least.max(1, keepdims=True)
        slack = (most.max(1, keepdims=True) - least).ravel()
        gradients, values = network.gradients.reshape(-1, pixels), values.ravel()
        of_unit = sparse.kron(sparse.eye(units), np.ones((functions, 1)))
        weight, bias = margins(network, target)
        self.constraints = [
            self.at_least([-gradients, None, of_unit, None], values),
            self.at_least(
                [gradients, None, -of_unit, -sparse.diags(slack)], -values - slack
            ),
            self.at_least([None, None, weight, None], -bias),
            self.at_least([None, None, None, of_unit.T], np.ones(units)),
            self.at_least([None, None, None, -of_unit.T], -np.ones(units)),
        ]
        none, zero = np.full(units, -np.inf), np.zeros
        self.bounds = Bounds(
            np.concatenate([low, zero(pixels), none, zero(len(values))]),
            np.concatenate([high, np.full(pixels, np.inf), most.max(1), possible.ravel()]),
        )

    def at_least(self, blocks: list, offsets: np.ndarray) -> LinearConstraint:
        """Return ``blocks @ variables >= offsets``; None is a block of zeros."""
        wide = [
            sparse.csr_array((len(offsets), size)) if block is None else block
            for block, size in zip(blocks, self.sizes, strict=True)
        ]
        return LinearConstraint(sparse.hstack(wide, format="csr"), offsets)

    def add_tangents(self, shift: Float[np.ndarray, " d"]) -> None:
        """Bound the squares from below by their tangents at some changes."""
        slopes, one = sparse.diags(-2 * shift), sparse.eye(len(shift))
        self.constraints.append(self.at_least([slopes, one, None, None], -(shift**2)))

    def solve(self) -> tuple[np.ndarray, np.ndarray, float]:
        """Return the solution, each unit's largest function, and the lower bound.

        Raises:
            RuntimeError: HiGHS finds no solution.
        """
        parts = np.repeat(np.arange(4), self.sizes)
        found = milp(
            (parts == 1).astype(float),
            integrality=parts == 3,
            bounds=self.bounds,
            constraints=self.constraints,
            options={"mip_rel_gap": GAP / 5},
        )
        if found.x is None:
            raise RuntimeError(f"HiGHS: {found.message}")
        chosen = found.x[parts == 3].reshape(self.sizes[2], -1).argmax(1)
        return found.x[parts == 0], chosen, max(found.mip_dual_bound, 0.0) ** 0.5
