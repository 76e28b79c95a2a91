"""Numbers too small for full precision are taken as zero while an attack runs.

Saturated sigmoid units have gradients of 1e-40 and less. Some processors need a hundred
times as long for such *subnormal* numbers as for others, which made attacks of the
paper's networks several times as slow there; to their results they mean nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def subnormals_as_zero() -> Iterator[None]:
    """Take them as zero on this thread, and on those that it starts meanwhile.

    Also a decorator. Where the processor has no such mode nothing changes.
    """
    before = are_zero()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def are_zero() -> bool:
    """Return whether subnormal numbers are taken as zero on this thread."""
    return bool(torch.tensor(1e-38) / 16 == 0)
