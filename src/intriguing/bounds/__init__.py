"""Upper bounds of what a perturbation can do: certified distances and constants.

`certify` proves that no image within a distance has another class; `verify` checks its
certificates independently; `lipschitz` bounds a network's Lipschitz constant. In
reading order:

- `folding`, `network`: fully connected networks as matrices
- `intervals`, `sigmoid_lines`: what units can take in a ball, by norms and by CROWN
- `relaxation`, `interior_point`: the semidefinite program of a margin, and its solution
- `adversary`, `branching`, `decisions`: counterexamples, branch and bound, the ladder
- `largest`, `certify`: the largest radius, and many images
- `certificates`, `rounding`, `check_linear`, `check_leaf`, `verify`: stored proofs, and
  their check
- `lipschitz`, `lipsdp`, `gradients`: constants of whole networks, from both sides
- `records`, `table`, `benchmark`: what the workflow keeps
"""

from intriguing.bounds.certificates import (
    Certificates,
    load_certificates,
    save_certificates,
)
from intriguing.bounds.certify import Certified, certify
from intriguing.bounds.lipschitz import LipschitzBound, lipschitz, verify_lipschitz
from intriguing.bounds.verify import verify

__all__ = [
    "Certificates",
    "Certified",
    "LipschitzBound",
    "certify",
    "lipschitz",
    "load_certificates",
    "save_certificates",
    "verify",
    "verify_lipschitz",
]
