"""The next candidate of each image: a projected L-BFGS step, in torch or compiled.

The two-loop recursion runs on the free pixels only. Its initial Hessian is that of the
penalty, which is exact where the loss is linear. A pair whose curvature on the free
pixels is not clearly positive is skipped, so that each step is a descent direction.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from intriguing.attack import compiled_lbfgs
from intriguing.attack.objective import free_pixels
from intriguing.attack.state import SearchState

MAX_STEP = 2.0
"""Largest L2 length of one step."""
MIN_CURVATURE = 1e-3
"""Least curvature of a pair, as a share of the penalty's."""


class Candidate(NamedTuple):
    """The point to evaluate next, one row an image.

    Attributes:
        image: Its pixels.
        length: Its L2 distance from the clean image.
        descent: Inner product of the objective's gradient and the step; at most 0.
    """

    image: Float[Tensor, "n d"]
    length: Float[Tensor, " n"]
    descent: Float[Tensor, " n"]


def next_candidate(
    state: SearchState, curvature: Float[Tensor, " n"], oldest: int
) -> Candidate:
    """Return the next candidates, and enter their steps in the state."""
    image = state.current.image
    if image.device.type != "cpu" or image.dtype != torch.float32:
        return next_candidate_by_torch(state, curvature, oldest)
    candidate = Candidate(torch.empty_like(image), *image.new_empty(2, len(image)))
    inputs = (image, state.clean, state.current.gradient, curvature)
    arrays = (*inputs, state.backtracks, state.steps, state.changes, *candidate)
    views = [array.detach().numpy() for array in arrays]
    compiled_lbfgs.trials(*[*views, oldest, MAX_STEP, MIN_CURVATURE])
    return candidate


def next_candidate_by_torch(
    state: SearchState, curvature: Float[Tensor, " n"], oldest: int
) -> Candidate:
    """Return the same as `next_candidate` on any device and in any precision."""
    origin, loss_gradient = state.current.image, state.current.gradient
    shift = origin - state.clean
    gradient = torch.addcmul(loss_gradient, curvature[:, None], shift)
    free = free_pixels(origin, gradient)
    pairs = (state.steps, state.changes, oldest)
    direction = two_loop_recursion(gradient, free, curvature, *pairs)
    longest = MAX_STEP / direction.norm(dim=1).clamp_min(1e-12)
    size = torch.minimum(0.5**state.backtracks, longest)
    image = torch.addcmul(origin, size[:, None], direction).clamp_(0, 1)
    step = state.steps[:, oldest] = image - origin
    length = (image - state.clean).norm(dim=1)
    return Candidate(image, length, torch.linalg.vecdot(gradient, step))


def two_loop_recursion(
    gradient: Float[Tensor, "n d"],
    free: Float[Tensor, "n d"],
    curvature: Float[Tensor, " n"],
    steps: Float[Tensor, "n m d"],
    changes: Float[Tensor, "n m d"],
    oldest: int,
) -> Float[Tensor, "n d"]:
    """Return the quasi-Newton direction, 0 on fixed pixels."""
    changes = torch.addcmul(changes, curvature[:, None, None], steps) * free[:, None]
    product = torch.linalg.vecdot(steps, changes)
    floor = MIN_CURVATURE * curvature[:, None] * torch.linalg.vecdot(steps, steps)
    rho = torch.where(product > floor + 1e-30, 1 / product, 0.0)
    memory = steps.shape[1]
    newest_first = [(oldest - 1 - age) % memory for age in range(memory)]
    direction = gradient * free
    alphas = {}
    for i in newest_first:
        alphas[i] = rho[:, i] * torch.linalg.vecdot(steps[:, i], direction)
        direction = torch.addcmul(
            direction, alphas[i][:, None], changes[:, i], value=-1
        )
    direction = direction / curvature[:, None]
    for i in reversed(newest_first):
        beta = rho[:, i] * torch.linalg.vecdot(changes[:, i], direction)
        direction = torch.addcmul(direction, (alphas[i] - beta)[:, None], steps[:, i])
    return -direction * free
