"""What the paper claims of adversarial training, each with a rule fixed beforehand."""

from collections.abc import Mapping, Sequence

import numpy as np

from intriguing.stats.agreement import Claim, directional_claim
from intriguing.stats.intervals import Interval, difference_interval, mean_interval
from intriguing.tables.rates import Count, error_rate

LAYERS, IMAGES, DROPOUT, DECAY = "layer-pools", "input-pool", "dropout", "weight-decay"
WORDS = {
    LAYERS: "pools of adversarial examples at its layers, for the layers above",
    IMAGES: "a pool of adversarial images",
    DROPOUT: "dropout",
    DECAY: "weight decay alone",
}
COMPARED = ((LAYERS, DROPOUT), (LAYERS, IMAGES), (IMAGES, DROPOUT), (IMAGES, DECAY))
"""Arms of which the first is to err less than the second; the paper says it of the
first two pairs."""
BEST = 0.012
"""Test error below which the paper says that pools bring a 100-100-10 network."""

Errors = Mapping[str, Sequence[Count]]
"""Wrong and all test images, for each seed of each arm."""


def claims(errors: Errors) -> list[Claim]:
    """Return the claims that the arms at hand allow to judge."""
    found = [below_the_paper_s_error(errors)] if LAYERS in errors else []
    return found + [
        beats(errors, first, second)
        for first, second in COMPARED
        if {first, second} <= errors.keys()
    ]


def below_the_paper_s_error(errors: Errors) -> Claim:
    """A 100-100-10 network with pools at its layers errs on less than 1.2 %.

    Judged: the interval lies below.
    """
    found = error_rate(errors[LAYERS])
    return directional_claim(
        "layer-pools-below-1.2",
        f"A 100-100-10 network trained with {WORDS[LAYERS]}, has a test error below "
        "1.2 %.",
        found,
        f"tables/adversarial-training: {LAYERS}",
        side="below",
        threshold=BEST,
        published=BEST,
    )


def beats(errors: Errors, first: str, second: str) -> Claim:
    """One arm brings a lower test error than another.

    The arms share seeds and test images: compared seed by seed. Judged: the error of
    the second less that of the first is above 0.
    """
    found = difference(errors[second], errors[first])
    return directional_claim(
        f"{first}-beats-{second}",
        f"A 100-100-10 network trained with {WORDS[first]}, has a lower test error "
        f"than one trained with {WORDS[second]} (the two subtracted).",
        found,
        f"tables/adversarial-training: {second} and {first}",
    )


def difference(first: Sequence[Count], second: Sequence[Count]) -> Interval:
    """Return the difference of two error rates, seed by seed if there are several."""
    pairs = list(zip(first, second, strict=True))
    if len(pairs) == 1:
        return difference_interval(error_rate(first), error_rate(second))
    gaps = [a["wrong"] / a["images"] - b["wrong"] / b["images"] for a, b in pairs]
    return mean_interval([np.array([gap]) for gap in gaps])
