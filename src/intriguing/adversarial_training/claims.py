"""Claims of the paper on adversarial training, with the rules that decide them."""

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
"""Pairs of variants of which the first should have the lower test error. The paper
claims it of the first two pairs."""
BEST = 0.012
"""Upper limit that the paper reports for a 100-100-10 network with pools."""

Errors = Mapping[str, Sequence[Count]]
"""Wrong and all test images, for each seed of each variant."""


def claims(errors: Errors) -> list[Claim]:
    """Return the claims on the variants in ``errors``."""
    below = [below_published_error(errors)] if LAYERS in errors else []
    return below + [
        lower_error(errors, first, second)
        for first, second in COMPARED
        if {first, second} <= errors.keys()
    ]


def below_published_error(errors: Errors) -> Claim:
    """Return the claim that pools bring the test error below 1.2 %.

    It agrees if the whole interval lies below.
    """
    error = error_rate(errors[LAYERS])
    return directional_claim(
        "layer-pools-below-1.2",
        f"A 100-100-10 network trained with {WORDS[LAYERS]}, has a test error below "
        "1.2 %.",
        error,
        f"tables/adversarial-training: {LAYERS}",
        side="below",
        threshold=BEST,
        published=BEST,
    )


def lower_error(errors: Errors, first: str, second: str) -> Claim:
    """Return the claim that one variant has a lower test error than another.

    It agrees if the interval of the second error minus the first lies above 0.
    Differences are taken seed by seed, as variants share seeds and test images.
    """
    gap = difference(errors[second], errors[first])
    return directional_claim(
        f"{first}-beats-{second}",
        f"A 100-100-10 network trained with {WORDS[first]}, has a lower test error "
        f"than one trained with {WORDS[second]} (difference of the two).",
        gap,
        f"tables/adversarial-training: {second} and {first}",
    )


def difference(first: Sequence[Count], second: Sequence[Count]) -> Interval:
    """Return the difference of two error rates, paired by seed if there are several."""
    pairs = list(zip(first, second, strict=True))
    if len(pairs) == 1:
        return difference_interval(error_rate(first), error_rate(second))
    gaps = [a["wrong"] / a["images"] - b["wrong"] / b["images"] for a, b in pairs]
    return mean_interval([np.array([gap]) for gap in gaps])
