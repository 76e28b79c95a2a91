"""The paper's objective by botorch's L-BFGS-B, which alternates between the images.

Each image has SciPy's own L-BFGS-B; the network is evaluated for all images at once.
"""

import numpy as np
import torch
from botorch.optim.batched_lbfgs_b import (  # pyright: ignore[reportMissingImports]
    fmin_l_bfgs_b_batched,
)
from torch import Tensor, nn

from intriguing.attack.objective import (
    SQUARED,
    evaluate,
    safe_margins,
    target_mask_of,
)
from intriguing.attack.scipy_lbfgs import MAX_ITERATIONS, Minimum, bisect_weights
from intriguing.attack.watch import Watch
from intriguing.attack.weights import initial_weights
from intriguing.baselines.task import Task


def batched_lbfgsb(model: nn.Module, task: Task) -> Tensor:
    """Return minimisers at the largest successful weights; see `bisect_weights`."""
    with torch.no_grad():
        classes = model(task.images[:1]).shape[1]
    mask = target_mask_of(classes, task.targets, task.labels)
    origin = task.images.flatten(1).double().numpy()
    box = [(0.0, 1.0)] * origin.shape[1]
    settings = {"bounds": box, "maxiter": MAX_ITERATIONS, "pass_batch_indices": True}
    none = np.zeros(len(origin), np.int64)

    def network(points: np.ndarray, rows: list[int]):
        pixels = torch.from_numpy(points).to(task.images.dtype)
        return evaluate(model, pixels.reshape(-1, *task.images.shape[1:]), mask[rows])

    def minimise(weight: np.ndarray, start: np.ndarray) -> Minimum:
        def objective(points: np.ndarray, batch_indices: list[int]):
            here = network(points, batch_indices)
            shift, own = points - origin[batch_indices], weight[batch_indices]
            value = own * (shift**2).sum(1) + here.loss.double().numpy()
            gradient = here.gradient.double().numpy()
            return value, 2 * own[:, None] * shift + gradient

        found, _, _ = fmin_l_bfgs_b_batched(objective, start, **settings)
        found = found.clip(0, 1)
        margin = network(found, list(range(len(found)))).margin.numpy()
        return Minimum(found, margin, none, none)

    first = initial_weights(evaluate(model, task.images, mask), SQUARED)
    least = safe_margins(model, task.images).double().numpy()
    result = bisect_weights(minimise, task.images, first, least, Watch())
    return result.image.reshape(task.images.shape)
