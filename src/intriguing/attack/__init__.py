"""Adversarial images: the smallest perturbation that changes a network's answer.

``find_adversarial`` is the one call; `lbfgs` holds the paper's attack in batches,
`reference` the same through SciPy. The objective is in `objective`, the search on the
penalty's weight in `weights`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.attack import lbfgs, minimal
from intriguing.attack.lbfgs import DEFAULT, Accuracy, Found, pick
from intriguing.attack.objective import (
    PENALTIES,
    evaluate,
    wanted_classes,
)
from intriguing.attack.weights import WeightRule, first_weights, refine
from intriguing.errors import InputError
from intriguing.models import predict

BATCH = 1024


@dataclass(frozen=True)
class Adversarial:
    """Adversarial images and what is known of them; every field has one row an image.

    Attributes:
        images: Perturbed images, pixels in [0, 1]; clean where none was found.
        reached: Whether a plain forward pass on ``images`` gives the wanted class.
        prediction: Class of ``images`` by that pass.
        distortion: Root mean square of the perturbation over pixels (section 4.2).
        weight: Weight c of the penalty at which the image was found.
        iterations: Accepted quasi-Newton steps, over all weights and starts.
        evaluations: Forward and backward passes, over all weights and starts.
        start: Index of the start that won.
    """

    images: Float[Tensor, "n ..."]
    reached: Bool[Tensor, " n"]
    prediction: Int[Tensor, " n"]
    distortion: Float[Tensor, " n"]
    weight: Float[Tensor, " n"]
    iterations: Int[Tensor, " n"]
    evaluations: Int[Tensor, " n"]
    start: Int[Tensor, " n"]


def find_adversarial(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    targets: Int[Tensor, " n"] | None = None,
    *,
    method: str = "lbfgs",
    labels: Int[Tensor, " n"] | None = None,
    norm: str = "squared",
    starts: Sequence[float] | int | None = None,
    rule: WeightRule | None = None,
    weights: Float[Tensor, " n"] | None = None,
    accuracy: Accuracy = DEFAULT,
    start_images: Float[Tensor, "m ..."] | None = None,
    known: Float[Tensor, "n ..."] | None = None,
) -> Adversarial:
    """Return the smallest adversarial images that the paper's objective leads to.

    Minimises ``c * price(|r|) + loss(x + r)`` over the box [0, 1] by L-BFGS and
    searches, image by image, the largest c whose minimiser still has the wanted class.

    Args:
        model: Classifier from pixels in [0, 1] to logits, in eval mode.
        images: Clean images.
        targets: Wanted class of each image; if not given the attack is untargeted.
        method: ``lbfgs`` (batched, any device), ``scipy`` (the reference, image by
            image on the CPU, first start only) or ``minimal`` (the smallest
            perturbation, without the paper's objective; see `minimal.search`).
        labels: True classes, needed when there are no targets.
        norm: Price of the perturbation, ``squared`` or ``plain`` length.
        starts: First weights to search from, as multiples of an estimate. Networks
            trained to zero error have several minima: a large weight finds those near
            the clean image, a small one those under the deepest part of the loss.
        rule: How the weight is searched; see `intriguing.attack.weights`.
        weights: First weight of each image, instead of ``starts``.
        accuracy: When each solve ends.
        start_images: For ``minimal`` with a number of ``starts``: images to start from.
        known: For ``minimal``: for each image one that is adversarial already; the
            result is never longer.

    Raises:
        InputError: An image lies outside the box, the model returns NaN, or a class
            does not exist; the message says which.
    """
    check_images(images)
    if method not in {*METHODS, "minimal"}:
        known_methods = sorted({*METHODS, "minimal"})
        raise InputError(f"method {method!r} is unknown; known: {known_methods}")
    if norm not in PENALTIES:
        raise InputError(f"norm {norm!r} is unknown; known: {sorted(PENALTIES)}")
    clean_logits = finite_logits(model, images)
    wanted = wanted_classes(clean_logits.shape[1], targets, labels)
    if method == "minimal":
        given = {"starts": starts or 1, "start_images": start_images, "known": known}
        shortest_found = minimal.search(model, images, wanted, **given)
        return judge(model, images, wanted, shortest_found, shortest_found.start)
    firsts = list(starts or (1.0, 0.1)) if weights is None else [weights]
    runs = [
        METHODS[method](model, images, wanted, norm, first, rule, accuracy)
        for first in (firsts[:1] if method == "scipy" else firsts)
    ]
    found, start = shortest(runs, images.flatten(1))
    return judge(model, images, wanted, found, start)


def run_lbfgs(model, images, wanted, norm, first, rule, accuracy) -> Found:
    """Run the batched attack in batches of ``BATCH`` images."""
    parts = []
    for rows in torch.arange(len(images), device=images.device).split(BATCH):
        begin = first[rows] if isinstance(first, Tensor) else first
        parts.append(
            lbfgs.search(
                model,
                images[rows],
                wanted[rows],
                PENALTIES[norm],
                rule or refine(),
                begin,
                accuracy,
            )
        )
    return Found(*(torch.cat(field) for field in zip(*parts, strict=True)))


def run_scipy(model, images, wanted, norm, first, rule, accuracy) -> Found:
    """Run the reference image by image; its own rule and accuracy hold."""
    from intriguing.attack import reference  # half a second, for SciPy's optimisers

    penalty = PENALTIES[norm]
    if not isinstance(first, Tensor):
        here = evaluate(model, images, wanted)
        here = here._replace(slope=here.slope.flatten(1))
        first = first * first_weights(here, images.flatten(1), penalty)
    solved = [
        reference.attack_image(
            model, images[i : i + 1], wanted[i : i + 1], penalty, float(first[i])
        )
        for i in range(len(images))
    ]
    columns = [torch.tensor(column) for column in list(zip(*solved, strict=True))[1:]]
    pixels = torch.stack([torch.from_numpy(s.image) for s in solved]).to(images.dtype)
    return Found(pixels, columns[0], columns[1].float(), columns[2], columns[3])


METHODS = {"lbfgs": run_lbfgs, "scipy": run_scipy}


def shortest(
    runs: list[Found], clean: Float[Tensor, "n d"]
) -> tuple[Found, Int[Tensor, " n"]]:
    """Return the shortest success of each image, and from which start it came."""
    best = runs[0]
    start = torch.zeros(len(clean), dtype=torch.int64, device=clean.device)
    iterations, evaluations = best.iterations, best.evaluations
    for number, run in enumerate(runs[1:], 1):
        nearer = (run.image - clean).norm(dim=1) < (best.image - clean).norm(dim=1)
        better = run.success & (nearer | ~best.success)
        best = pick(better, run, best)
        start = start.masked_fill(better, number)
        iterations = iterations + run.iterations
        evaluations = evaluations + run.evaluations
    return best._replace(iterations=iterations, evaluations=evaluations), start


def judge(
    model: nn.Module,
    clean: Float[Tensor, "n ..."],
    wanted: Bool[Tensor, "n classes"],
    found: Found,
    start: Int[Tensor, " n"],
) -> Adversarial:
    """Re-check the images as they will be stored, in one plain forward pass."""
    images = found.image.reshape(clean.shape)
    prediction = predict(model, images).argmax(1)
    return Adversarial(
        images=images,
        reached=wanted.gather(1, prediction[:, None])[:, 0],
        prediction=prediction,
        distortion=distortion(clean, images),
        weight=found.weight,
        iterations=found.iterations,
        evaluations=found.evaluations,
        start=start,
    )


def distortion(
    clean: Float[Tensor, "n ..."], images: Float[Tensor, "n ..."]
) -> Float[Tensor, " n"]:
    """Return the root mean square difference of each pair of images (section 4.2)."""
    return (images - clean).flatten(1).square().mean(1).sqrt()


def finite_logits(
    model: nn.Module, images: Float[Tensor, "n ..."]
) -> Float[Tensor, "n classes"]:
    """Return the logits of clean images, or say for which image they are not finite."""
    logits = predict(model, images)
    broken = ~torch.isfinite(logits).all(1)
    if broken.any():
        row = int(broken.nonzero()[0, 0])
        raise InputError(f"the model returns NaN or infinite logits for image {row}")
    return logits


def check_images(images: Float[Tensor, "n ..."]) -> None:
    """Refuse an empty batch, and images with pixels outside [0, 1] or not finite."""
    if not len(images):
        raise InputError("there are no images to attack")
    inside = ((images >= 0) & (images <= 1)).flatten(1).all(1)
    if not inside.all():
        row = int((~inside).nonzero()[0, 0])
        raise InputError(
            f"image {row} has pixels outside [0, 1]; scale the images into the box"
        )
