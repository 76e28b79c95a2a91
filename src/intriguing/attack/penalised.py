"""The paper's attack: minimise ``c * price(|r|) + loss(x + r)`` over the box [0, 1].

The weight c is searched, image by image, for the largest whose minimiser still has the
wanted class.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from intriguing.attack import lbfgs
from intriguing.attack.lbfgs import DEFAULT, Accuracy
from intriguing.attack.live import Found, pick
from intriguing.attack.objective import PENALTIES, Penalty, evaluate
from intriguing.attack.subnormal import subnormals_as_zero
from intriguing.attack.weights import Rival, WeightRule, first_weights, refine
from intriguing.errors import InputError

BATCH = 1024
STARTS = (1.0, 0.1, 0.01, 4.0)


def lbfgs_from_starts(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    wanted: Bool[Tensor, "n classes"],
    *,
    norm: str = "squared",
    starts: Sequence[float] = STARTS,
    rule: WeightRule | None = None,
    weights: Float[Tensor, " n"] | None = None,
    accuracy: Accuracy = DEFAULT,
) -> Found:
    """Return the shortest minimiser of all starts, in batches of ``BATCH`` images.

    Args:
        model: Classifier from pixels to logits.
        images: Clean images.
        wanted: Classes that count as success.
        norm: Price of the perturbation, ``squared`` or ``plain`` length.
        starts: First weights to search from, as multiples of an estimate. Networks
            trained to zero error have several minima: a large weight finds those near
            the clean image, a small one those under the deepest part of the loss;
            from one that is too large the minimiser is followed out from the image.
        rule: How the weight is searched; see `intriguing.attack.weights`.
        weights: First weight of each image, instead of ``starts``.
        accuracy: When each solve ends.
    """
    penalty, rule = penalty_named(norm), rule or refine()
    firsts = starts if weights is None else [weights]
    parts = []
    for rows in torch.arange(len(images), device=images.device).split(BATCH):
        clean, goal = images[rows], wanted[rows]
        best = None
        for number, first in enumerate(firsts):
            begin = first[rows] if isinstance(first, Tensor) else first
            rival = best and rival_of(best, clean.flatten(1))
            run = lbfgs.search(
                model, clean, goal, penalty, rule, begin, accuracy, rival
            )
            run = run._replace(start=torch.full_like(rows, number))
            best = shorter(best, run, clean.flatten(1)) if best else run
        parts.append(best)
    return Found(*(torch.cat(field) for field in zip(*parts, strict=True)))


def rival_of(best: Found, clean: Float[Tensor, "n d"]) -> Rival:
    """Return what a further start must beat."""
    length = (best.image - clean).norm(dim=1)
    return Rival(
        best.weight.masked_fill(~best.success, torch.inf),
        length.masked_fill(~best.success, torch.inf),
    )


def shorter(best: Found, run: Found, clean: Float[Tensor, "n d"]) -> Found:
    """Return the shorter success of each image, with the work of both."""
    nearer = (run.image - clean).norm(dim=1) < (best.image - clean).norm(dim=1)
    won = run.success & (nearer | ~best.success)
    return pick(won, run, best)._replace(
        iterations=best.iterations + run.iterations,
        evaluations=best.evaluations + run.evaluations,
    )


@subnormals_as_zero()
def scipy_one_by_one(
    model: nn.Module,
    images: Float[Tensor, "n ..."],
    wanted: Bool[Tensor, "n classes"],
    *,
    norm: str = "squared",
    weights: Float[Tensor, " n"] | None = None,
) -> Found:
    """Return the same from one start by SciPy on the CPU, image by image.

    Args:
        model: Classifier from pixels to logits.
        images: Clean images.
        wanted: Classes that count as success.
        norm: Price of the perturbation, ``squared`` or ``plain`` length.
        weights: First weight of each image, instead of an estimate.
    """
    from intriguing.attack import reference  # half a second, for SciPy's optimisers

    penalty = penalty_named(norm)
    if weights is None:
        here = evaluate(model, images, wanted)
        here = here._replace(slope=here.slope.flatten(1))
        weights = first_weights(here, images.flatten(1), penalty)
    solved = [
        reference.attack_image(
            model, images[i : i + 1], wanted[i : i + 1], penalty, float(weights[i])
        )
        for i in range(len(images))
    ]
    columns = [torch.tensor(column) for column in list(zip(*solved, strict=True))[1:]]
    pixels = torch.stack([torch.from_numpy(s.image) for s in solved]).to(images.dtype)
    success, weight, iterations, evaluations = columns
    none = torch.zeros_like(iterations)
    return Found(pixels, success, weight.float(), iterations, evaluations, none)


def penalty_named(norm: str) -> Penalty:
    """Return the price of a perturbation by its name."""
    if norm not in PENALTIES:
        raise InputError(f"norm {norm!r} is unknown; known: {sorted(PENALTIES)}")
    return PENALTIES[norm]
