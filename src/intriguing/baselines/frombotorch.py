"""The paper's objective by botorch's L-BFGS-B, which solves many problems in turns.

Each problem is SciPy's own L-BFGS-B; the network is evaluated for all of them at once.
The search on the weight is that of `intriguing.attack.reference`.
"""

import math

import numpy as np
import torch
from botorch.optim.batched_lbfgs_b import fmin_l_bfgs_b_batched
from torch import Tensor, nn

from intriguing.attack.lbfgs import SAFE_MARGIN
from intriguing.attack.objective import SQUARED, evaluate, wanted_classes
from intriguing.attack.reference import next_weight
from intriguing.attack.weights import first_weights
from intriguing.baselines.task import Task

WEIGHTS = 15
ITERATIONS = 200


def batched_lbfgsb(model: nn.Module, task: Task) -> Tensor:
    """Bisect each image's weight; every solve starts at the last success."""
    clean = task.images.flatten(1)
    origin = clean.double().numpy()
    at = evaluate(model, task.images, wanted_of(model, task))
    at = at._replace(slope=at.slope.flatten(1))
    weight = first_weights(at, clean, SQUARED).double().numpy()
    low, high = np.zeros(len(clean)), np.full(len(clean), math.inf)
    best, start = origin, origin
    for _ in range(WEIGHTS):
        found, margin = solve(model, task, weight, start)
        won = margin > SAFE_MARGIN
        low, high = np.where(won, weight, low), np.where(won, high, weight)
        best = np.where(won[:, None], found, best)
        start = np.where((low > 0)[:, None], best, found)
        weight = np.array(list(map(next_weight, low, high)))
    return torch.from_numpy(best).to(clean.dtype).reshape(task.images.shape)


def wanted_of(model: nn.Module, task: Task) -> Tensor:
    """Return which classes count as success for each image."""
    with torch.no_grad():
        classes = model(task.images[:1]).shape[1]
    return wanted_classes(classes, task.targets, task.labels)


def solve(
    model: nn.Module, task: Task, weight: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Minimise ``weight * |r|^2 + loss`` for each image; return points and margins."""
    origin = task.images.flatten(1).double().numpy()
    wanted = wanted_of(model, task)

    def network(points: np.ndarray, rows: list[int]):
        pixels = torch.from_numpy(points).to(task.images.dtype)
        return evaluate(model, pixels.reshape(-1, *task.images.shape[1:]), wanted[rows])

    def objective(points: np.ndarray, batch_indices: list[int]):
        at = network(points, batch_indices)
        shift, price = points - origin[batch_indices], weight[batch_indices]
        value = price * (shift**2).sum(1) + at.loss.double().numpy()
        slope = at.slope.flatten(1).double().numpy()
        return value, 2 * price[:, None] * shift + slope

    box = [(0.0, 1.0)] * origin.shape[1]
    how = {"bounds": box, "maxiter": ITERATIONS, "pass_batch_indices": True}
    found, _, _ = fmin_l_bfgs_b_batched(objective, start, **how)
    found = found.clip(0, 1)
    return found, network(found, list(range(len(found)))).margin.numpy()
