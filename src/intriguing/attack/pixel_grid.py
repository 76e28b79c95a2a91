"""Adversarial images whose pixels are stored with a few bits, as in a PNG file.

Rounding an image to the grid of 8 bits often undoes its perturbation. So the image is
moved further into the target class, along the gradient of the loss, until the model
confirms the rounded image; then as little as possible by bisection.
"""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack.objective import evaluate, free_pixels
from intriguing.models.evaluation import predict

FIRST_STEP, GROWTH, STEPS = 0.005, 1.5, 16
"""First step as a share of the perturbation's length, growth of the steps, and their
number: together up to 6 times the length."""
BISECTIONS = 5


class OnGrid(NamedTuple):
    """Adversarial images on the grid, clean where none was found, and their cost."""

    images: Float[Tensor, "n ..."]
    evaluations: Int[Tensor, " n"]
    gradients: Int[Tensor, " n"]


def on_grid(images: Float[Tensor, "n ..."], bits: int) -> Float[Tensor, "n ..."]:
    """Return the nearest images whose pixels are multiples of ``1 / (2**bits - 1)``."""
    levels = 2**bits - 1
    return (images * levels).round() / levels


def in_target(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
) -> Bool[Tensor, " n"]:
    """Return which images the model gives a target class."""
    prediction = predict(model, images).argmax(1, keepdim=True)
    return target_mask.gather(1, prediction)[:, 0]


def shortest_on_grid(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    images: Float[Tensor, "n ..."],
    bits: int,
) -> OnGrid:
    """Return adversarial images on the grid, hardly longer than others."""
    none = torch.zeros_like(target_mask[:, 0], dtype=torch.int64)
    result = OnGrid(clean.clone(), none, none.clone())
    before, after = images.clone(), images.clone()

    def succeed(rows: Int[Tensor, " m"], points: Float[Tensor, "m ..."]) -> Tensor:
        """Round some images; keep those that succeed, return which."""
        rounded = on_grid(points, bits)
        success = in_target(model, rounded, target_mask[rows])
        result.images[rows[success]] = rounded[success]
        result.evaluations[rows] += 1
        return success

    length = (images - clean).flatten(1).norm(dim=1)
    rows = (length > 0).nonzero()[:, 0]
    step = FIRST_STEP * length.clamp_min(clean[0].numel() ** 0.5 / 2 ** (bits + 1))
    moved = rows[~succeed(rows, images[rows])] if len(rows) else rows
    rows = moved
    for _ in range(STEPS):
        if not len(rows):
            break
        before[rows] = after[rows]
        after[rows] = further(model, before[rows], target_mask[rows], step[rows])
        result.evaluations[rows] += 1
        result.gradients[rows] += 1
        rows, step = rows[~succeed(rows, after[rows])], GROWTH * step
    for _ in range(BISECTIONS if len(moved) else 0):
        middle = (before[moved] + after[moved]) / 2
        success = succeed(moved, middle)
        after[moved[success]] = middle[success]
        before[moved[~success]] = middle[~success]
    return result


def further(
    model: nn.Module,
    points: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    step: Float[Tensor, " n"],
) -> Float[Tensor, "n ..."]:
    """Return points one step of this length further down the loss, inside the box."""
    here = evaluate(model, points, target_mask)
    gradient = here.gradient * free_pixels(here.image, here.gradient)
    size = step / gradient.norm(dim=1).clamp_min(1e-30)
    return (here.image - size[:, None] * gradient).clamp(0, 1).reshape(points.shape)
