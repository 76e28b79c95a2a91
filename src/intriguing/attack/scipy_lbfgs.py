"""The paper's attack by SciPy's L-BFGS-B, one image after another: the reference.

It is slow and shares no optimiser with the batched attack. Points are float64; the
network is evaluated in its own precision.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.objective import (
    Penalty,
    evaluate,
    penalty_named,
    safe_margins,
)
from intriguing.attack.state import LbfgsResult
from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.attack.watch import Watch
from intriguing.attack.weights import EXPANSION, initial_weights

MAX_WEIGHTS = 15
MAX_ITERATIONS = 200


class Minimum(NamedTuple):
    """Minimisers at given weights, one row an image, and the cost of each."""

    image: Float[np.ndarray, "n d"]
    margin: Float[np.ndarray, " n"]
    iterations: Int[np.ndarray, " n"]
    evaluations: Int[np.ndarray, " n"]


Minimise = Callable[[np.ndarray, np.ndarray], Minimum]
"""Maps weights and initial points to minimisers."""


@subnormals_as_zero()
def scipy_one_by_one(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    *,
    iterations: int = MAX_ITERATIONS,
    norm: str = "squared",
    weights: Float[Tensor, " n"] | None = None,
    watch: Watch | None = None,
) -> LbfgsResult:
    """Return the minimiser at the largest successful weight of each image.

    The arguments are those of `lbfgs.lbfgs_from_starts`; the model is on the CPU.
    """
    penalty, watch = penalty_named(norm), watch or Watch()

    def minimise(weight: np.ndarray, start: np.ndarray) -> Minimum:
        rows = images.split(1), target_mask.split(1), weight, start
        problems = zip(*rows, strict=True)
        how = penalty, iterations, watch
        minima = [minimise_penalised(model, *one, *how) for one in problems]
        return Minimum(*map(np.array, zip(*minima, strict=True)))

    if weights is None:
        weights = initial_weights(evaluate(model, images, target_mask), penalty)
    least = safe_margins(model, images).double().numpy()
    return bisect_weights(minimise, images, weights, least, watch)


def bisect_weights(
    minimise: Minimise,
    images: Float[Tensor, "n ..."],
    first: Float[Tensor, " n"],
    least: Float[np.ndarray, " n"],
    watch: Watch,
) -> LbfgsResult:
    """Return the minimiser at the largest successful of `MAX_WEIGHTS` weights.

    The weight is multiplied or divided by `EXPANSION` until it is enclosed; then its
    logarithm is bisected. Each minimisation starts at the last success, or else at the
    last minimiser. ``least`` is the margin above which one succeeds.
    """
    best = start = images.flatten(1).double().numpy()
    weight = first.double().numpy()
    low, high = np.zeros(len(best)), np.full(len(best), np.inf)
    iterations = np.zeros(len(best), np.int64)
    evaluations = np.ones(len(best), np.int64)  # for the first weight
    for _ in range(MAX_WEIGHTS):
        if watch.is_over():
            break
        found = minimise(weight, start)
        success = found.margin > least
        low, high = np.where(success, weight, low), np.where(success, high, weight)
        best = np.where(success[:, None], found.image, best)
        start = np.where((low > 0)[:, None], best, found.image)
        iterations = iterations + found.iterations
        evaluations = evaluations + found.evaluations
        inside = np.where(low > 0, np.sqrt(low * high), high / EXPANSION)
        weight = np.where(np.isinf(high), low * EXPANSION, inside)
    return LbfgsResult(
        torch.from_numpy(best).to(images.dtype),
        torch.from_numpy(low > 0),
        torch.from_numpy(np.where(low > 0, low, high)).float(),
        torch.from_numpy(iterations),
        torch.from_numpy(evaluations),
        torch.from_numpy(evaluations),
        torch.zeros(len(best), dtype=torch.int64),
        torch.from_numpy((low > 0) & np.isfinite(high) & (not watch.is_over())),
    )


def minimise_penalised(
    model: nn.Module,
    clean: Float[Tensor, "1 ..."],
    target_mask: Bool[Tensor, "1 classes"],
    weight: float,
    start: Float[np.ndarray, " d"],
    penalty: Penalty,
    iterations: int = MAX_ITERATIONS,
    watch: Watch | None = None,
) -> tuple[Float[np.ndarray, " d"], float, int, int]:
    """Return the minimiser for one image, as a row of `Minimum`."""
    from scipy.optimize import minimize  # its import takes half a second

    origin = clean.double().numpy().ravel()

    def network(x: np.ndarray) -> tuple[float, np.ndarray, float]:
        pixels = torch.from_numpy(x).to(clean.dtype).reshape(clean.shape)
        _, loss, gradient, margin = evaluate(model, pixels, target_mask)
        return float(loss), gradient.double().numpy().ravel(), float(margin)

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        loss, gradient, _ = network(x)
        shift = x - origin
        length = torch.tensor(np.linalg.norm(shift))
        value, curvature = (float(of(length)) for of in penalty)
        return weight * value + loss, weight * curvature * shift + gradient

    def stop_in_time(_point: np.ndarray) -> None:
        if watch is not None and watch.is_over():
            raise StopIteration

    options = {"maxiter": iterations}
    how = {"jac": True, "method": "L-BFGS-B", "options": options}
    how |= {"bounds": [(0.0, 1.0)] * len(origin), "callback": stop_in_time}
    result = minimize(objective, start, **how)
    image = np.clip(result.x, 0.0, 1.0)
    return image, network(image)[2], result.nit, result.nfev + 1
