"""The attacks that are compared."""

from functools import partial

from torch import Tensor, nn

from intriguing.attack import find_adversarial, minimal
from intriguing.attack.objective import target_mask_of
from intriguing.baselines import MINIMAL, REFERENCE
from intriguing.baselines.comparison import Attack, CountedImages
from intriguing.baselines.task import Task
from intriguing.errors import InputError
from intriguing.models.evaluation import predict


def all_attacks(targeted: bool) -> list[Attack]:
    """Return the attacks in the order of the table; some are untargeted only.

    Raises:
        InputError: A library of the extra ``crosscheck`` is not installed.
    """
    return [*our_attacks(), *library_attacks(targeted)]


def our_attacks() -> list[Attack]:
    """Return our attacks and the reference."""
    starts = {"minimal-1": 1, "minimal-2": 2, MINIMAL: 8, "minimal-64": 64}
    from_lbfgs = partial(minimal_norm_from_lbfgs, starts=8)
    return [
        *(
            Attack(name, partial(minimal_norm, starts=count), counts=True)
            for name, count in starts.items()
        ),
        Attack(f"{MINIMAL}-lbfgs", from_lbfgs, counts=True),
        Attack("lbfgs", partial(penalised, method="lbfgs")),
        Attack(REFERENCE, partial(penalised, method="scipy"), slow=True),
    ]


def penalised(model: nn.Module, task: Task, method: str) -> Tensor:
    """Return minimisers of the paper's objective by a method of `find_adversarial`."""
    return find_adversarial(
        model, task.images, task.targets, labels=task.labels, method=method
    ).images


def minimal_norm(
    model: nn.Module, task: Task, starts: int, known: Tensor | None = None
) -> CountedImages:
    """Return the perturbations of minimal norm.

    It counts its passes: some go through smoothed networks, which have no hook.
    """
    classes = predict(model, task.images[:1]).shape[1]
    result = minimal.search(
        model,
        task.images,
        target_mask_of(classes, task.targets, task.labels),
        starts=starts,
        start_images=task.pool if starts > 1 else None,
        known=known,
    )
    passes = int(result.evaluations.sum()), int(result.gradients.sum())
    unconverged = int((~result.converged).sum())
    return CountedImages(result.image.reshape(task.images.shape), *passes, unconverged)


def minimal_norm_from_lbfgs(model: nn.Module, task: Task, starts: int) -> CountedImages:
    """Return the same with the paper's minimisers, computed here, among the starts."""
    paper = find_adversarial(
        model, task.images, task.targets, method="lbfgs", labels=task.labels
    )
    result = minimal_norm(model, task, starts, paper.images)
    passes = int(paper.evaluations.sum())
    return result._replace(
        forwards=result.forwards + passes, backwards=result.backwards + passes
    )


def library_attacks(targeted: bool) -> list[Attack]:
    """Return the attacks of the extra ``crosscheck``, which is imported here only."""
    try:
        from intriguing.baselines import fromadvlib, frombotorch, fromfoolbox
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        raise InputError(
            f"{missing or error} is not installed, which the comparison needs; "
            "`make peers`, or `pip install 'intriguing[crosscheck]'`, brings it"
        ) from error
    # The requirements on speed name PDGD and DDN, which therefore run in every round.
    attacks = [
        Attack("botorch", frombotorch.batched_lbfgsb, slow=True),
        Attack("carlini-wagner", fromfoolbox.carlini_wagner, slow=True),
        Attack("brendel-bethge-300", fromfoolbox.brendel_bethge, slow=True),
        Attack("pdgd-2000", fromadvlib.pdgd),
        Attack("ddn-1000", partial(fromadvlib.ddn, steps=1000)),
        Attack("ddn-100", partial(fromadvlib.ddn, steps=100)),
        Attack("alma-1000", fromadvlib.alma, slow=True),
        Attack("fmn-1000", fromadvlib.fmn, slow=True),
    ]
    untargeted = [
        Attack("superdeepfool", fromadvlib.superdeepfool),
        Attack("deepfool", fromfoolbox.deepfool),
    ]
    return attacks if targeted else [*attacks, *untargeted]
