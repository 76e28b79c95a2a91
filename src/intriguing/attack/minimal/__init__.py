"""The smallest perturbation that reaches a class: ``search``, for thousands of images.

    minimise ‖x' - x‖₂   subject to   0 ≤ x' ≤ 1   and a target class at x'.

No penalty on the classification loss, no weight: the constraints themselves are
linearised, solved exactly, and bent by the curvature seen so far. `loop` is the search.
It alternates `decisions` on records of numbers with work on pixels, which is written
for the CPU (`compiled`) and for any device (`tensors`). `search` chooses between them.
"""

from intriguing.attack.minimal.search import MinimalResult, search
from intriguing.attack.minimal.state import Accuracy

__all__ = ["Accuracy", "MinimalResult", "search"]
