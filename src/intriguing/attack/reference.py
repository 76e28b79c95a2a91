"""The paper's attack as SciPy solves it: one image, one L-BFGS-B run after another.

Slow and independent of the batched solver: what tests and benchmarks compare with.
Points are float64, the network is evaluated in its own precision.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.optimize import minimize
from torch import Tensor, nn

from intriguing.attack.lbfgs import SAFE_MARGIN
from intriguing.attack.objective import Penalty, evaluate
from intriguing.attack.weights import WIDER

LossAndSlope = Callable[[np.ndarray], tuple[float, np.ndarray]]


class Solution(NamedTuple):
    """Outcome for one image; ``image`` is the clean one where no weight succeeded."""

    image: np.ndarray
    success: bool
    weight: float
    iterations: int
    evaluations: int


def minimise_penalised(
    clean: Float[np.ndarray, " d"],
    target_loss: LossAndSlope,
    weight: float,
    penalty: Penalty,
    start: Float[np.ndarray, " d"] | None = None,
    iterations: int = 200,
) -> tuple[Float[np.ndarray, " d"], int, int]:
    """Minimise ``weight * price(|x - clean|) + target_loss(x)`` over the box [0, 1].

    Args:
        clean: Unperturbed image, flattened.
        target_loss: Loss towards the goal, and its gradient.
        weight: Price of the perturbation; larger keeps ``x`` nearer.
        penalty: The price.
        start: Where to start; the clean image if not given.
        iterations: Cap on L-BFGS-B iterations.

    Returns:
        The minimiser, the iterations and the evaluations it took.
    """

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        loss, slope = target_loss(x)
        shift = x - clean
        length = torch.tensor(np.linalg.norm(shift))
        price, stiffness = float(penalty.value(length)), penalty.stiffness(length)
        return weight * price + loss, weight * float(stiffness) * shift + slope

    found = minimize(
        objective,
        clean if start is None else start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1.0)] * clean.size,
        options={"maxiter": iterations},
    )
    return np.clip(found.x, 0.0, 1.0), found.nit, found.nfev


def attack_image(
    model: nn.Module,
    clean: Float[Tensor, "1 ..."],
    wanted: Bool[Tensor, "1 classes"],
    penalty: Penalty,
    first: float,
    steps: int = 15,
) -> Solution:
    """Widen the bracket of the weight by factors, then bisect its logarithm.

    Each solve starts at the last successful minimiser, or at the last minimiser.

    Args:
        model: Classifier from pixels to logits.
        clean: One image.
        wanted: Classes that count as success.
        penalty: Price on the perturbation.
        first: First weight tried.
        steps: Weights tried in all.
    """

    def network(x: np.ndarray) -> tuple[float, np.ndarray, float]:
        pixels = torch.from_numpy(x).to(clean.dtype).reshape(clean.shape)
        loss, slope, margin = evaluate(model, pixels, wanted)
        return float(loss), slope.double().numpy().ravel(), float(margin)

    origin = clean.double().numpy().ravel()
    best, start = origin, origin
    low, high, weight = 0.0, math.inf, first
    iterations = evaluations = 0
    for _ in range(steps):
        x, taken, evaluated = minimise_penalised(
            origin, lambda x: network(x)[:2], weight, penalty, start
        )
        iterations, evaluations = iterations + taken, evaluations + evaluated
        if network(x)[2] > SAFE_MARGIN:
            low, best = weight, x
        else:
            high = weight
        start = best if low else x
        weight = next_weight(low, high)
    return Solution(best, low > 0, low or high, iterations, evaluations)


def next_weight(low: float, high: float) -> float:
    """Return the next weight between the largest success and the smallest failure."""
    if math.isinf(high):
        return low * WIDER
    return math.sqrt(low * high) if low else high / WIDER
