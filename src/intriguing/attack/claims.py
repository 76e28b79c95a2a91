"""The paper's claim on the existence of adversarial images (section 4.1)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from intriguing.stats.agreement import Claim
from intriguing.stats.intervals import share_interval


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
