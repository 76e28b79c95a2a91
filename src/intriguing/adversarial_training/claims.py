"""Claims of the paper on adversarial training, with the rules that decide them."""

from collections.abc import Mapping, Sequence

import numpy as np

from intriguing.stats.agreement import Claim, Side, directional_claim, finding
from intriguing.stats.intervals import Interval, difference_interval, mean_interval
from intriguing.tables.rates import Count, error_rate

LAYERS, IMAGES, DROPOUT, DECAY = "layer-pools", "input-pool", "dropout", "weight-decay"
STATEMENTS = {
    (DROPOUT, LAYERS): "Pools of adversarial examples at its layers lower the test "
    "error of a 100-100-10 network more than dropout does",
    (IMAGES, LAYERS): "Pools of adversarial examples at its layers lower the test "
    "error of a 100-100-10 network more than a pool of adversarial images does",
    (DECAY, IMAGES): "A pool of adversarial images alone does not lower the test error "
    "of a 100-100-10 network below that of weight decay",
    (DROPOUT, IMAGES): "Test error of a 100-100-10 network with dropout less that with "
    "a pool of adversarial images",
}
"""What is said of two variants; the paper says the first three."""
BEST = 0.012
"""Upper limit that the paper reports for a 100-100-10 network with pools."""
TABLE = "tables/adversarial-training"


def claims(errors: Mapping[str, Sequence[Count]]) -> list[Claim]:
    """Return the claims and findings on the variants in ``errors``.

    The paper says that pools at the layers bring the test error below 1.2 %, that they
    do better than dropout and than a pool of images, and that a pool of images alone
    gives no improvement. Differences are taken seed by seed, as variants share seeds
    and test images.

    Args:
        errors: Wrong and all test images, for each seed of each variant.
    """
    found = [_below_published_error(errors[LAYERS])] if LAYERS in errors else []
    for pair, statement in STATEMENTS.items():
        if not set(pair) <= errors.keys():
            continue
        gap = _difference(*(errors[variant] for variant in pair))
        evidence = f"{TABLE}: {pair[0]} and {pair[1]}"
        if pair == (DROPOUT, IMAGES):
            found.append(finding("dropout-less-input-pool", statement, gap, evidence))
            continue
        side: Side = "below" if pair == (DECAY, IMAGES) else "above"
        name = "{1}-beats-{0}" if side == "above" else "{1}-does-not-beat-{0}"
        text = f"{statement} (difference of the two test errors)."
        given = name.format(*pair), text, gap, evidence
        found.append(directional_claim(*given, side=side))
    return found


def _below_published_error(counts: Sequence[Count]) -> Claim:
    return directional_claim(
        "layer-pools-below-1.2",
        "Pools of adversarial examples at its layers bring the test error of a "
        "100-100-10 network below 1.2 %.",
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
