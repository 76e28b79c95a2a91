"""How far to go, and whether the point is taken: every image on its own.

A trial costs one forward pass. It is accepted where the merit

    ‖x - clean‖² / 2 + μ · max(κ - margin, 0)

does not grow; μ exceeds the sum of the multipliers, so that the minimiser of the merit
is the one of the problem. A refused step is halved; nobody waits for anybody.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

SAFE_MARGIN = 1.5e-6
"""Margin that counts as success, as a share of the logits' span: three times what
another order of summation changes in float32."""
KAPPA = 7e-6
"""Margin that the iterates aim at, likewise. It must exceed the one at which they are
accepted, or nothing converges."""
SLACK = 1e-5
"""Growth of the merit that is still taken, in units of the squared distance."""
SHORTEST = 0.3
"""Distance, in L2, below which steps are no longer capped in proportion to it."""
PATIENCE = 2
"""Refusals after which the curvature is no longer trusted, but the projection is."""


def trial_point(
    image: Float[Tensor, "n d"],
    projected: Float[Tensor, "n d"],
    step: Float[Tensor, "n d"],
    length: Float[Tensor, " n"],
    refusals: Float[Tensor, " n"],
) -> Float[Tensor, "n d"]:
    """Return the next trial point, at most half as far as the image is from clean."""
    plain = (refusals >= PATIENCE)[:, None]
    direction = torch.where(plain, projected - image, step)
    share = 0.5**refusals
    cap = 0.5 * length.clamp_min(SHORTEST) * share
    share = torch.minimum(share, cap / direction.norm(dim=1).clamp_min(1e-12))
    return torch.addcmul(image, share[:, None], direction).clamp_(0, 1)


def merit(
    length: Float[Tensor, " n"],
    margin: Float[Tensor, " n"],
    price: Float[Tensor, " n"],
    kappa: Float[Tensor, " n"],
) -> Float[Tensor, " n"]:
    """Return half the squared distance plus the price of the missing margin."""
    return 0.5 * length.square() + price * (kappa - margin).clamp_min(0)


def accepted(
    before: Float[Tensor, " n"], after: Float[Tensor, " n"], length: Float[Tensor, " n"]
) -> Bool[Tensor, " n"]:
    """Return where a trial is taken."""
    return after <= before + SLACK * length.square()
