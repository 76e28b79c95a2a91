"""Adversarial images: the smallest perturbation that changes a network's prediction.

`find_adversarial` is the one call. In reading order:

- `inputs`, `model_checks`: what callers hand over, checked
- `result`, `pixel_grid`: what they get back, also with pixels of 8 bits
- `watch`: progress bar, time limit and interrupt
- `objective`: the paper's penalty, loss and margin of the target classes
- `weights`: the search for the penalty's weight c
- `state`, `candidate`, `lbfgs`: the minimisation in batches, by projected L-BFGS
- `scipy_lbfgs`: the same objective by SciPy, one image after another
- `coarse`: c on a grid, or one c for all images
- `minimal`: the smallest perturbation without a penalty
- `exact`: the optimum of linear networks
- `targets`, `sampled`, `minimal_norm`: which class to aim at, and tables of the results
- `subnormal`: a mode of the processor in which attacks run faster
"""

import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from jaxtyping import Bool, Float
from torch import Tensor, nn

from intriguing.attack import minimal
from intriguing.attack.compilation import COMPILING
from intriguing.attack.inputs import (
    AttackedModel,
    Classes,
    Images,
    checked_images,
    checked_like,
    checked_number,
    checked_per_image,
    success_mask,
)
from intriguing.attack.lbfgs import lbfgs_from_starts
from intriguing.attack.model_checks import attacked_model, require_attackable
from intriguing.attack.objective import evaluate
from intriguing.attack.pixel_grid import shortest_on_grid
from intriguing.attack.result import (
    PNG_BITS,
    Adversarial,
    distortion,
    unchanged,
    verified_result,
)
from intriguing.attack.scipy_lbfgs import scipy_one_by_one
from intriguing.attack.watch import InterruptedWarning, Watch, watched
from intriguing.errors import InputError
from intriguing.models.checks import preserved

__all__ = ["Adversarial", "distortion", "find_adversarial", "minimal"]

METHODS: Mapping[str, Callable[..., Any]] = {
    "lbfgs": lbfgs_from_starts,
    "scipy": scipy_one_by_one,
    "minimal": minimal.search,
}
INTERNAL = ("watch", "slots", "accuracy")
"""Keywords of the methods that are no settings."""
ACCURACY = ("tolerance", "iterations")
"""Settings that `minimal.search` takes as one."""
PER_IMAGE = ("known", "weights")
"""Settings of methods that have one row an image."""
PIECE_VALUES = 2**21
"""Pixels of the images attacked at once. Beside the model's own activations an attack
takes about 1 GB at most, whatever the number of images and classes."""


def find_adversarial(
    model: nn.Module,
    images: Images,
    targets: Classes | None = None,
    *,
    method: str = "lbfgs",
    labels: Classes | None = None,
    starts: int | None = None,
    start_images: Images | None = None,
    tolerance: float | None = None,
    iterations: int | None = None,
    seconds: float | None = None,
    round_to: int | None = None,
    **settings: Any,
) -> Adversarial:
    """Return the smallest adversarial images that a method finds.

    The function that is attacked is ``model(x)``, in evaluation mode. The model with
    its buffers and training flags, the images and torch's random state are afterwards
    as before. On a terminal a bar shows the progress; an interrupt (Ctrl-C) returns
    what was found.

    Which method: ``minimal`` finds the smallest perturbation, in fewer passes; take it
    to measure how robust a model is. ``lbfgs`` minimises the paper's objective, c times
    the squared length plus the loss; take it to compare with the paper. ``scipy`` is
    that objective image by image, a slow reference.

    Args:
        model: Classifier from pixels in [0, 1] to logits (images, classes).
        images: Clean images, (images, ...): a tensor, an array or a list of them,
            floating point.
        targets: Target class of each image, integers of any kind, or one integer for
            all images; the attack is untargeted if not given.
        method: ``lbfgs``, ``minimal`` or ``scipy``.
        labels: True classes, needed when there are no targets.
        starts: Searches of each image, of which the shortest result is kept:
            ``starts=1`` is the fastest. At most 4 and by default 4 for ``lbfgs``;
            any number and by default 1 for ``minimal``. Not for ``scipy``.
        start_images: Images from which ``minimal`` starts, needed when ``starts`` is
            above 1: ``starts=8, start_images=training_images``.
        tolerance: Share of the perturbation's length at which a search ends:
            ``tolerance=0.05`` is coarse. By default 0.002 for ``lbfgs`` (distance to
            the minimiser) and 0.01 for ``minimal`` (length of the last step, in which
            the error is quadratic). Not for ``scipy``.
        iterations: Most evaluations at one weight of ``lbfgs`` (by default 100) and
            iterations at one of ``scipy`` (200) or of one start of ``minimal`` (240),
            from its first adversarial image on: ``iterations=30``.
        seconds: Time after which what was found comes back: ``seconds=60``.
        round_to: Bits of a pixel, as of a PNG file: ``round_to=8``. The images are then
            multiples of 1/255, and only images that are adversarial so count as found.
        settings: Settings of one method: ``norm``, ``first_weights``, ``weights``,
            ``rule``, ``decrease`` and ``boundary_share`` of `lbfgs.lbfgs_from_starts`,
            or ``known`` of `minimal.search`.

    Returns:
        One row an image, detached, ``images`` in the type of the argument:

        - ``images``: adversarial images; clean where the attack failed, unchanged where
          the image was adversarial already
        - ``reached``, ``prediction``: whether a plain forward pass gives a target
          class, and which class it gives
        - ``distortion``: root mean square of the perturbation over pixels
        - ``evaluations``, ``gradients``: forward passes of the image, and gradients by
          its pixels
        - ``start``, ``iterations``: the start that won, and steps over all starts
        - ``converged``: whether its search ended by its tolerance
        - ``tied``: competing classes that tie with the target at the image
        - ``survives_rounding``: whether the image is still adversarial with 8 bits a
          pixel (or ``round_to``)
        - ``weight``: weight c at which the paper's objective leads there

    Raises:
        InputError: An argument is wrong, or the model cannot be attacked; one line
            names the argument.
    """
    if method not in METHODS:
        raise InputError(f"method {method!r} is unknown; known: {sorted(METHODS)}")
    require_attackable(model)
    given = checked_images(images)
    common = {"starts": starts, "start_images": start_images}
    common |= {"tolerance": tolerance, "iterations": iterations}
    if round_to is not None and checked_number("round_to", round_to, int) > 16:
        raise InputError(f"round_to = {round_to!r}: give at most 16 bits")
    if seconds is not None:
        seconds = checked_number("seconds", seconds, float)
    with preserved(model), watched(method, len(given), seconds) as watch:
        attacked, pixels, logits = attacked_model(model, given)
        mask = success_mask(targets, labels, logits)
        own = method_settings(method, common | settings, pixels)
        problem = attacked, pixels, logits, mask
        found = attack_in_pieces(*problem, method, own, watch, round_to)
        if not watch.is_over():
            warn_of_flat(attacked, pixels, mask, found)
    if watch.interrupted:
        warnings.warn(
            f"interrupted with {int(found.reached.sum())} of {len(given)} images "
            "adversarial: what was found is returned; the field `converged` says where "
            "the search had ended",
            InterruptedWarning,
            stacklevel=2,
        )
    same = (found.images == pixels).flatten(1).all(1)
    in_own_type = found.images.to(given.dtype)
    in_own_type[same] = given[same]
    return found._replace(images=in_own_type)


def method_settings(
    method: str, settings: Mapping[str, Any], images: Float[Tensor, "n ..."]
) -> dict[str, Any]:
    """Return the settings that are given; refuse those that the method has not."""
    known = list(inspect.signature(METHODS[method]).parameters)[3:]
    shown = [name for name in known if name not in INTERNAL]
    if "accuracy" in known:
        shown += ACCURACY
    given = {name: value for name, value in settings.items() if value is not None}
    if unknown := [name for name in given if name not in shown]:
        also = ", ".join([*shown, "seconds", "round_to"])
        raise InputError(
            f"{unknown[0]}: no setting of method {method!r}; known: {also}"
        )
    for name in given:
        if name in ("start_images", "known"):
            given[name] = checked_like(name, given[name], images)
        elif name in ("starts", "iterations"):
            given[name] = checked_number(name, given[name], int)
        elif name == "tolerance":
            given[name] = checked_number(name, given[name], float)
        if name in PER_IMAGE:
            given[name] = checked_per_image(name, given[name], images)
    if "accuracy" in known:
        own = {name: given.pop(name) for name in ACCURACY if name in given}
        given["accuracy"] = minimal.Accuracy(**own)
    return given


def attack_in_pieces(
    model: AttackedModel,
    clean: Float[Tensor, "n ..."],
    logits: Float[Tensor, "n classes"],
    target_mask: Bool[Tensor, "n classes"],
    method: str,
    settings: Mapping[str, Any],
    watch: Watch,
    round_to: int | None,
) -> Adversarial:
    """Attack the images that are not adversarial yet, some at a time."""
    bits = round_to or PNG_BITS
    result = unchanged(model, clean, logits, target_mask, bits)
    if round_to:
        result.reached.logical_and_(result.survives_rounding)
    rows = (~result.reached).nonzero()[:, 0]
    size = max(1, PIECE_VALUES // clean[0].numel()) if method != "scipy" else 1
    watch.advance(len(clean) - len(rows))
    try:
        for piece in rows.split(size) if len(rows) else ():
            if watch.is_over():
                break
            own = {n: v[piece] for n, v in settings.items() if n in PER_IMAGE}
            problem = model, clean[piece], target_mask[piece]
            found = METHODS[method](*problem, **{**settings, **own, "watch": watch})
            if round_to:
                found = on_pixel_grid(*problem, found, round_to)
            enter = verified_result(*problem, logits[piece], found, bits)
            for whole, part in zip(result, enter, strict=True):
                whole[piece] = part.to(whole.dtype)
    finally:
        COMPILING.end()  # an interrupt may have come while it compiled
    return result


def warn_of_flat(
    model: AttackedModel,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    found: Adversarial,
) -> None:
    """Warn of images where the attack failed and the gradient cannot be used."""
    rows, flat = (~found.reached).nonzero()[:, 0], 0
    for some in rows.split(max(1, PIECE_VALUES // clean[0].numel())):
        if len(some):
            there = evaluate(model, clean[some], target_mask[some])
            squares = there.gradient.square().sum(1)
            flat += int(((squares == 0) | ~squares.isfinite()).sum())
    if flat:
        warnings.warn(
            f"no adversarial image was found of {flat} of {len(clean)} images, at "
            "which the square of the logits' gradient is 0 or infinite, as where a "
            "model rounds or saturates or its logits are of extreme size: by itself "
            "this shows no robustness",
            stacklevel=3,
        )


def on_pixel_grid(
    model: AttackedModel,
    clean: Float[Tensor, "n ..."],
    target_mask: Bool[Tensor, "n classes"],
    found: Any,
    bits: int,
) -> Any:
    """Return a method's result with its images on the grid of stored pixels."""
    images = found.image.reshape(clean.shape)
    rounded = shortest_on_grid(model, clean, target_mask, images, bits)
    return found._replace(
        image=rounded.images.flatten(1),
        evaluations=found.evaluations + rounded.evaluations,
        gradients=found.gradients + rounded.gradients,
    )
