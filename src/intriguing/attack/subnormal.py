"""A processor mode in which subnormal numbers are taken as zero.

Saturated sigmoid units have gradients of 1e-40 and less. Some processors need a hundred
times longer for such *subnormal* numbers, which made attacks of the paper's networks
several times slower there. The numbers are too small to affect the results.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def subnormals_as_zero() -> Iterator[None]:
    """Set the mode on this thread, and on those that it starts meanwhile.

    It is also a decorator. It does nothing where the processor has no such mode.
    """
    before = are_zero()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def are_zero() -> bool:
    """Return whether subnormal numbers are taken as zero on this thread."""
    smallest = torch.tensor(1e-38, dtype=torch.float32, device="cpu")
    return bool(smallest / 16 == 0)
