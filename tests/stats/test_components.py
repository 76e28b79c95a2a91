"""Principal components, against the singular values and a planted spread."""

import numpy as np
import torch
from networks import seeded

from intriguing.stats.components import leading_components, principal_components

VALUES = torch.randn(500, 3, generator=seeded()) * torch.tensor([10.0, 3.0, 0.1]) + 7


def test_variances_are_squared_singular_values():
    variances, axes = principal_components(VALUES)
    lengths = torch.linalg.svdvals((VALUES - VALUES.mean(0)).double())
    np.testing.assert_allclose(variances, lengths**2 / 500, rtol=1e-4)
    torch.testing.assert_close(axes.T @ axes, torch.eye(3))


def test_the_fewest_components_hold_the_share_of_the_variance():
    assert leading_components(VALUES, 0.5).shape == (3, 1)
    axes = leading_components(VALUES, 0.95)
    assert axes.shape == (3, 2)
    np.testing.assert_allclose(axes[:2].abs(), np.eye(2), atol=0.05)
