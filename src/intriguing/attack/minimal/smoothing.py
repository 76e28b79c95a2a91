"""Smoothed networks, from whose minima the search in the true one begins.

Averaged over Gaussian noise in its pixels a network is smoother, without the wrinkles
that hold up a descent. Noise of standard deviation n makes of what a
first unit with weights w receives, z, a normal variable with mean z and standard
deviation t = n‖w‖₂. The logistic function is close to the normal's distribution
function if both have the same derivative at 0, which they have at the scale
s = √(8/π). So the average of what the unit gives is close to a unit of a known kind:

    sigmoid(z) → sigmoid(z / √(1 + t²/s²)),    tanh(z) → tanh(z / √(1 + 4t²/s²)),
    max(z, 0) → softplus(z s/t) t/s,

within 0.02, 0.04 and 0.04 t. The other layers stay: what they receive is the average.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.network import Network
from intriguing.attack.minimal.problem import Problem
from intriguing.attack.minimal.tensors.pixels import climb

NOISES = (0.64, 0.32, 0.16, 0.08)
"""Noise in the pixels, in the order of the networks."""
SMOOTHABLE = (nn.Sigmoid, nn.Tanh, nn.ReLU)
LOGISTIC = math.sqrt(8 / math.pi)
"""Scale at which a logistic function has the derivative of the normal's."""


def graduated(layers: tuple[nn.Module, ...]) -> Iterator[nn.Sequential]:
    """Yield smoothed networks, the smoothest first; none where that is not known."""
    for noise in NOISES:
        network = smoothed(layers, noise)
        if network is not None:
            yield network


def smoothed(layers: tuple[nn.Module, ...], noise: float) -> nn.Sequential | None:
    """Return a network averaged over noise in its pixels, None where unknown."""
    if len(layers) < 3 or type(layers[1]) not in SMOOTHABLE:
        return None
    first, function, second, *rest = layers
    if not (isinstance(first, nn.Linear) and isinstance(second, nn.Linear)):
        return None
    spread = noise * first.weight.detach().norm(dim=1) / LOGISTIC
    if type(function) is nn.ReLU:
        shrink = 1 / spread.clamp_min(1e-6)
        second = linear(second.weight.detach() / shrink, second.bias)
        function = nn.Softplus()
    else:
        steep = 2 if type(function) is nn.Tanh else 1
        shrink = (1 + (steep * spread).square()).rsqrt()
    bias = None if first.bias is None else first.bias.detach() * shrink
    first = linear(first.weight.detach() * shrink[:, None], bias)
    return nn.Sequential(nn.Flatten(), first, function, second, *rest)


def linear(weight: Float[Tensor, "m n"], bias: Float[Tensor, " m"] | None) -> nn.Linear:
    """Return a linear map with these weights."""
    result = nn.Linear(weight.shape[1], weight.shape[0], bias is not None, "meta")
    result.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        result.bias = nn.Parameter(bias.detach(), requires_grad=False)
    return result


def warm_points(
    smoother: Sequence[Network],
    clean: Float[Tensor, "n d"],
    problem: Problem,
    results: np.ndarray,
) -> Float[Tensor, "n d"]:
    """Return where warm phases go on; enter in the results what that costs."""
    points = clean.clone()
    competing = torch.from_numpy(~problem.target_mask).to(clean.device)
    target = torch.from_numpy(problem.targets[:, 0]).to(clean.device)
    for number, network in enumerate(smoother[: const.WARM_STEPS]):
        longest = float(const.FIRST_WARM_STEP * const.STEP_GROWTH**number)
        for rows in torch.arange(len(points), device=clean.device).split(const.CHUNK):
            given = (points[rows], competing[rows], target[rows], longest)
            points[rows], moved = step_up(network, *given)
            results["gradients"][rows[moved].cpu()] += 1
        results["evaluations"] += 1
    return points


def step_up(
    network: Network,
    points: Float[Tensor, "n d"],
    competing: Bool[Tensor, "n c"],
    target: Int[Tensor, " n"],
    longest: float,
) -> tuple[Float[Tensor, "n d"], Bool[Tensor, " n"]]:
    """Step up the log odds of targets not reached; return also where that is."""
    logits = network.forward(points)
    others = logits.masked_fill(~competing, -torch.inf)
    odds = logits.gather(1, target[:, None])[:, 0] - others.logsumexp(1)
    weights = (-others.softmax(1)).scatter_(1, target[:, None], 1.0)
    span = logits.amax(1) - logits.amin(1)
    deficit, moved = float(const.TARGET_LOG_ODDS) * span - odds, odds <= 0
    gradients = network.backward(points[moved], weights[moved])
    limits = deficit[moved], torch.full_like(deficit[moved], longest)
    points[moved] = climb(points[moved], gradients, *limits)
    return points, moved
