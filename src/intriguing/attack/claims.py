"""The paper's claims on the existence of adversarial images (sections 4.1, 4.2)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from intriguing.stats.agreement import Claim, directional_claim
from intriguing.stats.intervals import Interval, share_interval

CLOSE = 0.1
"""Standard deviation of the noise that the paper compares distortions with."""


def adversarial_images_exist(reached: Mapping[str, Sequence[pd.Series]]) -> Claim:
    """Return the claim that every image has one; it agrees only if no image failed.

    Args:
        reached: Whether the attack succeeded on each image, for each network and seed.
    """
    seeds = [seed.to_numpy(np.bool_) for own in reached.values() for seed in own]
    found = share_interval(seeds)
    return Claim(
        id="adversarial-images-exist",
        statement="For every image and every network there is an adversarial image.",
        published=1.0,
        measured=found.value,
        low=found.low,
        high=found.high,
        verdict="agrees" if found.value == 1 else "differs",
        evidence=f"adversarial/lbfgs: {found.n} images of {len(seeds)} networks",
    )


def adversarial_images_are_close(distortions: Mapping[str, Interval]) -> Claim:
    """Return the claim that adversarial images are very close to the originals.

    The paper's measure is Gaussian noise that changes few predictions: the distortions
    of all its networks but one are below the standard deviation of that noise.

    Args:
        distortions: Mean distortion of each network, at least two.
    """
    ordered = sorted(distortions.items(), key=lambda item: item[1].value)
    network, second = ordered[-2:][0]
    return directional_claim(
        "adversarial-images-are-close",
        "Adversarial images are very close to the originals: the mean distortion of "
        f"all networks but one is below {CLOSE:g}, the standard deviation of noise "
        "that hardly changes predictions (largest but one).",
        second,
        f"tables/models: {network}",
        side="below",
        threshold=CLOSE,
    )
