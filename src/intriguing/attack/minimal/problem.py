"""What is given to the search: images, classes, and points from which runs begin."""

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from intriguing.attack.minimal import constants as const
from intriguing.attack.minimal.network import Network
from intriguing.attack.minimal.ranking import ranked_classes
from intriguing.attack.minimal.runs import hits_for
from intriguing.attack.minimal.start_images import pool_of, seeds_of
from intriguing.attack.minimal.state import RESULT
from intriguing.attack.vectors import INFINITE


class Problem(NamedTuple):
    """What decisions on runs need, on the host; one row an image.

    Attributes:
        target_mask: Classes that count as success.
        target_counts: How many these are.
        targets: Those classes, the nearest first.
        estimates: Their estimated distances.
        known_target: Class of the known image.
        smoothed_target: Class of the minimum of a smoothed network.
        seed: Number from which an image's start images follow.
        firsts: Where each class begins among the start images.
        counts: How many start images each class has.
        starts: Most starts of each image.
        hits: Starts that have to reach the best length.
        has_known: Whether there are known images; likewise the other three, for
            warm points, minima of a smoothed network, and start images.
    """

    target_mask: Bool[np.ndarray, "n c"]
    target_counts: Int64[np.ndarray, " n"]
    targets: Int64[np.ndarray, "n j"]
    estimates: Float32[np.ndarray, "n j"]
    known_target: Int64[np.ndarray, " n"]
    smoothed_target: Int64[np.ndarray, " n"]
    seed: Int64[np.ndarray, " n"]
    firsts: Int64[np.ndarray, " c"]
    counts: Int64[np.ndarray, " c"]
    starts: int
    hits: int
    has_known: bool
    has_warm: bool
    has_smoothed: bool
    has_images: bool


class Origins(NamedTuple):
    """Points from which runs begin, arrays of NumPy or tensors; empty if not given.

    Attributes:
        clean: Unperturbed images, flat.
        warm: Points to which smoothed networks lead.
        known: Images that are adversarial already.
        smoothed: Minima of a smoothed network.
        start_images: Images to start from, sorted by the network's predictions.
    """

    clean: Any
    warm: Any
    known: Any
    smoothed: Any
    start_images: Any


class Task(NamedTuple):
    """What one search works on.

    Attributes:
        problem: What is given, but for pixels.
        origins: Points from which runs begin.
        results: Records `RESULT` of the images.
        best_images: Their shortest successes; clean images where there is none.
    """

    problem: Problem
    origins: Origins
    results: np.ndarray
    best_images: Any


def problem_of(
    network: Network,
    clean: Float[Tensor, "n d"],
    target_mask: Bool[Tensor, "n c"],
    starts: int,
    start_images: Float[Tensor, "m d"] | None,
    known: Float[Tensor, "n d"] | None,
) -> Task:
    """Rank the classes and sort the start images."""
    targets, estimates = ranked_classes(network, clean, target_mask)
    none, known_target = clean[:0], targets[:, 0]
    pool, first, count = none, targets[:0, 0], targets[:0, 0]
    seed = torch.zeros_like(known_target)
    if start_images is not None and starts > 1:
        pool, first, count = pool_of(start_images, logits_of(network, start_images))
        seed = seeds_of(clean)
    if known is not None:
        logits = logits_of(network, known).masked_fill(~target_mask, -torch.inf)
        known_target = logits.argmax(1)
    host = (target_mask, target_mask.sum(1), targets, estimates.float(), known_target)
    host = (*host, targets[:, 0], seed, first, count)
    problem = Problem(
        *(part.cpu().contiguous().numpy() for part in host),
        starts=starts,
        hits=hits_for(starts),
        has_known=known is not None,
        has_warm=False,
        has_smoothed=False,
        has_images=len(pool) > 0,
    )
    results = empty_results(problem)
    if targets.shape[1] > 1:
        results["evaluations"] += 1
        results["gradients"] += problem.target_counts
    origins = Origins(clean, none, none if known is None else known, none, pool)
    return Task(problem, origins, results, contiguous_copy(clean))


def contiguous_copy(pixels: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Return a copy that arrays can share the memory of."""
    return pixels.clone(memory_format=torch.contiguous_format)


def empty_results(problem: Problem) -> np.ndarray:
    """Return the records `RESULT` of images of which nothing is known."""
    results = np.zeros(len(problem.targets), RESULT)
    results["length"], results["target"] = INFINITE, problem.targets[:, 0]
    return results


def own_slots(problem: Problem) -> int:
    """Return how many constraint slots the working set of any image needs."""
    return int((~problem.target_mask).sum(1).clip(1, const.MOST_CLASSES).max())


def logits_of(network: Network, images: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
    """Return the logits of many images, in chunks."""
    return torch.cat([network.forward(part) for part in images.split(const.CHUNK)])
