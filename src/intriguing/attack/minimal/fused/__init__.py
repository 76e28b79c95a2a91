"""A turn of the search, one image at a time, compiled by numba for the CPU.

The torch versions pass over (N, K, D) temporaries; here all that concerns an image
stays in the processor's cache. Functions have the names of those they stand for, and
tests assert that both do the same to every field of `live.Live`. They are plain loops:
every array function of NumPy would be compiled along, and take longer than all of this.

A turn has two halves, `before` the gradients are known and `after`: between them is the
one backward pass of the network. The sub-problems follow (`subproblem`, with
`projection` and `curvature`), and what has come to its end leaves (`ending`). Where the
network is fully connected its passes are compiled as well (`dense`), and whole `turns`.
"""

from intriguing.attack.minimal.fused.after import complete
from intriguing.attack.minimal.fused.before import attempt
from intriguing.attack.minimal.fused.ending import finish
from intriguing.attack.minimal.fused.subproblem import aim, leave, solve
from intriguing.attack.minimal.fused.turns import lead, take_turns

__all__ = [
    "aim",
    "attempt",
    "complete",
    "finish",
    "lead",
    "leave",
    "solve",
    "take_turns",
]
