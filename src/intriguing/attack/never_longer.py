"""A check of every minimum-norm search that starts from the paper's images.

It is apart from `minimal_norm`, so that a change of a table reruns no search.
"""

import numpy as np
from jaxtyping import Float

SLACK = 1e-5
"""Relative difference in length that the order of summation may cause."""


def require_never_longer(
    minimal: Float[np.ndarray, " n"], paper: Float[np.ndarray, " n"]
) -> None:
    """Check that no image is longer than the paper's, which is one of the starts.

    Args:
        minimal: Distortions of the minimum-norm images, infinite where none was found.
        paper: Distortions of the paper's method.

    Raises:
        RuntimeError: An image is longer; the message gives the number and the worst.
    """
    with np.errstate(invalid="ignore"):
        excess = np.where(np.isfinite(paper), minimal / paper - 1, -1.0)
    longer = ~(excess <= SLACK)
    if longer.any():
        worst = int(np.where(np.isnan(excess), np.inf, excess).argmax())
        raise RuntimeError(
            f"{longer.sum()} of {len(paper)} images are longer than the paper's; the "
            f"worst is number {worst}: {minimal[worst]:.6g} for {paper[worst]:.6g}; "
            "report this error, as the paper's images are among the starts"
        )
