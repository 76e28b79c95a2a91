"""Who takes part in the comparison."""

from functools import partial

from intriguing.baselines import ours
from intriguing.baselines.comparison import Contender
from intriguing.baselines.names import MINIMAL, REFERENCE
from intriguing.errors import InputError


def contenders(targeted: bool) -> list[Contender]:
    """Return all attacks, in the order of the table; some are untargeted only.

    Raises:
        InputError: A library compared with is not installed.
    """
    return [*our_own(), *other_peoples(targeted)]


def our_own() -> list[Contender]:
    """Return our attacks and the reference."""
    shortest = {
        "minimal-1": partial(ours.shortest, starts=1),
        "minimal-2": partial(ours.shortest, starts=2),
        MINIMAL: partial(ours.shortest, starts=8),
        "minimal-64": partial(ours.shortest, starts=64),
        f"{MINIMAL}-lbfgs": partial(ours.shortest_from_lbfgs, starts=8),
    }
    return [
        *(Contender(name, attack, counts=True) for name, attack in shortest.items()),
        Contender("lbfgs", ours.lbfgs),
        Contender(REFERENCE, ours.scipy, "share"),
    ]


def other_peoples(targeted: bool) -> list[Contender]:
    """Return the attacks of the extra ``crosscheck``, imported here and not before."""
    try:
        from intriguing.baselines import fromadvlib, frombotorch, fromfoolbox
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        raise InputError(
            f"{missing or error} is not installed, which the comparison needs; "
            "`make peers`, or `pip install 'intriguing[crosscheck]'`, brings it"
        ) from error
    # The bars on speeds name PDGD and DDN, so that these take part in every round.
    either = [
        Contender("botorch", frombotorch.batched_lbfgsb, "once"),
        Contender("carlini-wagner", fromfoolbox.carlini_wagner, "once"),
        Contender("brendel-bethge-300", fromfoolbox.brendel_bethge, "once"),
        Contender("pdgd-2000", fromadvlib.pdgd),
        Contender("ddn-1000", partial(fromadvlib.ddn, steps=1000)),
        Contender("ddn-100", partial(fromadvlib.ddn, steps=100)),
        Contender("alma-1000", fromadvlib.alma, "once"),
        Contender("fmn-1000", fromadvlib.fmn, "once"),
    ]
    untargeted = [
        Contender("superdeepfool", fromadvlib.superdeepfool),
        Contender("deepfool", fromfoolbox.deepfool),
    ]
    return either if targeted else [*either, *untargeted]
