"""Which natural images are attacked."""

import numpy as np
from jaxtyping import Int
from torch import Tensor

from intriguing.data import sample_indices
from intriguing.errors import InputError


def sample_of_job(
    labels: Int[Tensor, " n"],
    target: int | None,
    count: int,
    job: int,
    jobs: int,
    seed: int,
) -> Int[np.ndarray, " k"]:
    """Return the images that one of several jobs attacks, of one random sample.

    Args:
        labels: Of the images to sample from.
        target: Class whose images are left out, or None.
        count: Size of the sample, a multiple of ``jobs``.
        job: Number of the job, from 0.
        jobs: Number of jobs.
        seed: Decides the sample, the same for all jobs.

    Raises:
        InputError: There are too few images, or the jobs cannot have equal shares.
    """
    if count % jobs:
        raise InputError(f"{count} images cannot be shared by {jobs} jobs evenly")
    indices = np.flatnonzero(labels.numpy() != target)  # all differ from None
    sample = indices[sample_indices(len(indices), count, seed)]
    return np.split(sample, jobs)[job]
