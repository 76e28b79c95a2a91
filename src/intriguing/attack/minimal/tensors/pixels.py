"""What an iteration does to the pixels of all images at once, as `compiled.pixels`.

Records and small rows are on the host; what a step needs of them is moved to the
pixels' device.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from intriguing.attack.minimal.acceptance import ACCEPTED, REJECTED
from intriguing.attack.minimal.constants import START_SHARE
from intriguing.attack.minimal.problem import Origins
from intriguing.attack.minimal.runs import START_IMAGES
from intriguing.attack.minimal.state import Pixels, SearchState, Settings, Subproblem
from intriguing.attack.minimal.tensors.curvature import newest_first, quasi_newton
from intriguing.attack.minimal.tensors.projection import project

Slots = Int64[np.ndarray, " n"]

CLIMBING = ("request", "deficit", "longest_step")
GROUPS = ((0, 1), (1, 2), (2, 4), (4, 999))
"""Numbers of constraints that are padded to the largest of their group."""


def on_device(values: np.ndarray, pixels: Pixels) -> Tensor:
    """Return host values on the pixels' device, real numbers in their precision."""
    tensor = torch.from_numpy(np.ascontiguousarray(values)).to(pixels.clean.device)
    return tensor.to(pixels.clean.dtype) if tensor.is_floating_point() else tensor


def fields(
    state: SearchState, pixels: Pixels, slots: Slots, *names: str
) -> Iterator[Tensor]:
    """Return some fields of runs on the pixels' device."""
    return (on_device(state.runs[name][slots], pixels) for name in names)


def on_host(values: Tensor) -> np.ndarray:
    """Return values on the host, real numbers in single precision."""
    return values.float().cpu().numpy()


def begin(state: SearchState, pixels: Pixels, origins: Origins, slots: Slots) -> None:
    """Write clean images and first points of runs that begin."""
    runs = state.runs[slots]
    clean = origins.clean[on_device(runs["row"], pixels)]
    pixels.clean[slots] = clean
    for origin, points in enumerate(origins):
        some = np.flatnonzero(runs["origin"] == origin)
        if len(some):
            point = points[on_device(runs["origin_row"][some], pixels)]
            if origin == START_IMAGES:
                point = clean[some].lerp(point, float(START_SHARE))
            pixels.candidate[slots[some]] = point
    measure_candidates(state, pixels, slots)


def measure_candidates(state: SearchState, pixels: Pixels, slots: Slots) -> None:
    """Write how far some candidates are from the clean images."""
    length = (pixels.candidate[slots] - pixels.clean[slots]).norm(dim=1)
    state.runs["candidate_length"][slots] = on_host(length)


def move(state: SearchState, pixels: Pixels, slots: Slots) -> None:
    """Go to candidates that are not rejected, and begin the pairs of accepted steps."""
    runs = state.runs[slots]
    best = slots[runs["keeps_candidate"]]
    pixels.best[best] = pixels.candidate[best]
    leave(state, pixels, slots[runs["verdict"] == ACCEPTED])
    moved = slots[runs["verdict"] != REJECTED]
    pixels.image[moved] = pixels.candidate[moved]


def leave(state: SearchState, pixels: Pixels, slots: Slots) -> None:
    """Begin the pairs of accepted steps; write how they shift linearised margins."""
    step = pixels.candidate[slots] - pixels.image[slots]
    taken, gradients, used = constraints(state, pixels, slots)
    left = on_device(np.take_along_axis(state.left[slots], taken, 1), pixels)
    newest = state.runs["newest"][slots]
    pixels.steps[slots, newest] = step
    pulled = torch.einsum("nk,nkd->nd", left, gradients)
    pixels.changes[slots, newest] = step + pulled
    shift = torch.einsum("nkd,nd->nk", gradients, step).masked_fill(~used, 0)
    state.shift[slots] = 0
    state.shift[slots[:, None], taken] = on_host(shift)


def constraints(
    state: SearchState, pixels: Pixels, slots: Slots
) -> tuple[np.ndarray, Float[Tensor, "n k d"], Bool[Tensor, "n k"]]:
    """Return the constraint slots that some run uses, their gradients, and who does."""
    # Runs with fewer than others are filled up with slots of zero gradients.
    empty = np.isinf(state.gap[slots])
    most = int((~empty).sum(1).max()) if len(slots) else 0
    taken = empty.argsort(axis=1, kind="stable")[:, :most]
    used = on_device(~np.take_along_axis(empty, taken, 1), pixels)
    gradients = pixels.gradients[slots[:, None], taken]
    return taken, gradients.masked_fill_(~used[:, :, None], 0), used


def receive(state: SearchState, pixels: Pixels, slots: Slots, gradients: Any) -> None:
    """Use new gradients: step in the feasibility phase, fill slots, compare planes."""
    runs = state.runs[slots]
    climbing = runs["feasibility"]
    solving = ~climbing & (runs["verdict"] != REJECTED)
    planes = ~climbing & (runs["verdict"] == REJECTED) & (runs["plane_class"] >= 0)
    fill_slots(state, pixels, slots[solving], gradients)
    if climbing.any():
        some = slots[climbing]
        request, *limits = fields(state, pixels, some, *CLIMBING)
        new = gradients[request]
        pixels.candidate[some] = climb(pixels.image[some], new, *limits)
        measure_candidates(state, pixels, some)
    if planes.any():
        some = slots[planes]
        (request,) = fields(state, pixels, some, "request")
        new = gradients[request]
        image = pixels.image[some]
        back = torch.linalg.vecdot(new, image - pixels.candidate[some])
        ahead = torch.linalg.vecdot(new, pixels.projected[some] - image)
        state.runs["plane_back"][some] = on_host(back)
        state.runs["plane_ahead"][some] = on_host(ahead)


def fill_slots(
    state: SearchState, pixels: Pixels, slots: Slots, gradients: Float[Tensor, "p d"]
) -> None:
    """Write gradients of cutting planes from their sources, and then the new ones."""
    place, plane = np.nonzero(state.source[slots] >= 0)
    copied = slots[place]
    source = state.source[copied, plane]
    pixels.gradients[copied, plane] = pixels.gradients[copied, source]
    # The slots of the working set come first, in the order of the requests.
    first = np.arange(state.gap.shape[1]) < state.runs["requested"][slots, None]
    place, own = np.nonzero(np.isfinite(state.gap[slots]) & first)
    request = state.runs["request"][slots[place]] + own
    pixels.gradients[slots[place], own] = gradients[on_device(request, pixels)]


def climb(
    points: Float[Tensor, "n d"],
    gradients: Float[Tensor, "n d"],
    deficit: Float[Tensor, " n"],
    longest: Float[Tensor, " n"],
) -> Float[Tensor, "n d"]:
    """Return points further up the gradients of the log odds, inside the box."""
    held = ((points <= 0) & (gradients < 0)) | ((points >= 1) & (gradients > 0))
    gradients = gradients.masked_fill(held, 0)
    norm = gradients.norm(dim=1).clamp_min(1e-20)
    share = torch.minimum(deficit / norm, longest) / norm
    return torch.addcmul(points, share[:, None], gradients).clamp_(0, 1)


def solve(
    state: SearchState,
    pixels: Pixels,
    slots: Slots,
    gradients: Float[Tensor, "p d"],
    settings: Settings,
    room: object,
) -> None:
    """Complete the pairs of some runs, and solve their sub-problems."""
    plane = state.runs["plane_slot"][slots]
    some = slots[plane >= 0]
    (request,) = fields(state, pixels, some, "request")
    pixels.gradients[some, plane[plane >= 0]] = gradients[request]
    state.runs["plane_slot"][slots] = -1
    used = np.isfinite(state.gap[slots]).sum(1)
    for least, most in GROUPS:
        group = slots[(used > least) & (used <= most)]
        if len(group):
            solve_group(state, pixels, group, settings.own)


def solve_group(state: SearchState, pixels: Pixels, slots: Slots, own: int) -> None:
    """Solve the sub-problems of runs with about as many constraints."""
    runs, clean, image = state.runs[slots], pixels.clean[slots], pixels.image[slots]
    newest = runs["newest"]
    taken, gradients, used = constraints(state, pixels, slots)
    rows = (state.left, state.gap, state.multiplier)
    rows = (np.take_along_axis(row[slots], taken, 1) for row in rows)
    left, gap, first = (on_device(row, pixels) for row in rows)
    pixels.changes[slots, newest] -= torch.einsum("nk,nkd->nd", left, gradients)
    target_margin = on_device(runs["target_margin"], pixels)
    required = target_margin[:, None] - gap
    subproblem = Subproblem(clean, image, gradients, required, target_margin)
    point, multiplier, capped = project(subproblem, first)
    pairs = (
        newest_first(ring[slots], newest, runs["pairs"])
        for ring in (pixels.steps, pixels.changes)
    )
    step, newton_multiplier, sound = quasi_newton(subproblem, point, multiplier, *pairs)
    planes = ((multiplier > 0) & on_device(taken >= own, pixels)).any(1)
    newton = (sound & ~capped & ~planes)[:, None]
    pixels.projected[slots] = point
    pixels.step[slots] = torch.where(newton, step, point - image)
    multiplier = torch.where(newton, newton_multiplier, multiplier)
    state.multiplier[slots] = 0
    state.multiplier[slots[:, None], taken] = on_host(multiplier.masked_fill(~used, 0))
    state.runs["residual"][slots] = on_host((point - image).norm(dim=1))
    length = on_device(runs["length"], pixels)
    state.runs["decrease"][slots] = on_host(length - (point - clean).norm(dim=1))


def propose(
    state: SearchState,
    pixels: Pixels,
    slots: Slots,
    best_images: Float[Tensor, "images d"],
) -> None:
    """Write the next candidates of runs, and their distances to known images."""
    runs, image = state.runs[slots], pixels.image[slots]
    names = ("straight", "step_share", "longest_step")
    straight, share, longest = fields(state, pixels, slots, *names)
    projected = pixels.projected[slots] - image
    direction = torch.where(straight[:, None], projected, pixels.step[slots])
    norm = direction.norm(dim=1).clamp_min(1e-12)
    share = torch.minimum(share, longest * share / norm)
    point = torch.addcmul(image, share[:, None], direction).clamp_(0, 1)
    pixels.candidate[slots] = point
    measure_candidates(state, pixels, slots)
    known = slots[np.isfinite(runs["known_length"])]
    if len(known):
        best = best_images[on_device(state.runs["row"][known], pixels)]
        distance = (pixels.image[known] - best).norm(dim=1)
        state.runs["best_distance"][known] = on_host(distance)


def store(
    state: SearchState,
    pixels: Pixels,
    slots: Slots,
    best_images: Float[Tensor, "images d"],
) -> None:
    """Store the best images of runs that have ended, and begin restarts."""
    runs = state.runs[slots]
    better, again = slots[runs["improves"]], slots[runs["restarting"]]
    best_images[on_device(state.runs["row"][better], pixels)] = pixels.best[better]
    pixels.candidate[again] = pixels.best[again]
    state.runs["improves"][slots] = state.runs["restarting"][slots] = False
