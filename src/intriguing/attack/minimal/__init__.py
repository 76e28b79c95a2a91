"""The smallest perturbation that reaches a class: ``search``, for thousands of images.

    minimise ‖x' - x‖₂   subject to   0 ≤ x' ≤ 1   and the wanted class at x'.

No penalty, no weight: the constraints themselves are linearised, solved exactly, and
bent by the curvature seen so far. The steps, each a module: `walk` out of the saturated
region, `workingset` of tied classes, `projection` onto their half-spaces and the box,
`curvature` of the Lagrangian, `steps` and their acceptance; `starts` for networks with
many minima, `smoothing` to pass over the poor ones, `untargeted` for any wrong class.
`search` runs them, `fused` has them all compiled for the CPU.
"""

from intriguing.attack.minimal.search import DEFAULT, Accuracy, Found, search

__all__ = ["DEFAULT", "Accuracy", "Found", "search"]
