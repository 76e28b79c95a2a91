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
TABLE = "tables/adversarial-training"


def claims(errors: Mapping[str, Sequence[Count]]) -> list[Claim]:
    """Return the claims on the variants in ``errors``.

    One is that pools bring the test error below 1.2 %. The others are that one variant
    has a lower test error than another: the whole interval of the difference must lie
    above 0. Differences are taken seed by seed, as variants share seeds and test
    images.

    Args:
        errors: Wrong and all test images, for each seed of each variant.
    """
    below = [_below_published_error(errors[LAYERS])] if LAYERS in errors else []
    return below + [
        directional_claim(
            f"{first}-beats-{second}",
            f"A 100-100-10 network trained with {WORDS[first]}, has a lower test error "
            f"than one trained with {WORDS[second]} (difference of the two).",
            _difference(errors[second], errors[first]),
            f"{TABLE}: {second} and {first}",
        )
        for first, second in COMPARED
        if {first, second} <= errors.keys()
    ]


def _below_published_error(counts: Sequence[Count]) -> Claim:
    return directional_claim(
        "layer-pools-below-1.2",
        f"A 100-100-10 network trained with {WORDS[LAYERS]}, has a test error below "
        "1.2 %.",
        error_rate(counts),
        f"{TABLE}: {LAYERS}",
        side="below",
        threshold=BEST,
        published=BEST,
    )


def _difference(first: Sequence[Count], second: Sequence[Count]) -> Interval:
    """Return the difference of two error rates, paired by seed if there are several."""
    if len(first) == 1:
        return difference_interval(error_rate(first), error_rate(second))
    rates = ([one["wrong"] / one["images"] for one in x] for x in (first, second))
    return mean_interval([np.array([a - b]) for a, b in zip(*rates, strict=True)])
