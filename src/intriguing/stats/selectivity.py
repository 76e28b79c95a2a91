"""How selective a direction of a layer is for the classes.

A *direction* gives every image a score, the inner product with its activations. Each
measure below describes the scores of one direction; their mean over the directions of a
basis describes the basis. All but the excess kurtosis depend on the direction's sign.
"""

from math import log
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn.functional import one_hot

TOP = 20
"""Images with the largest scores, from which purity and entropy are computed."""


class Selectivity(NamedTuple):
    """Measures of each direction.

    Attributes:
        entropy: Entropy of the labels of the top images, in bits.
        purity: Share of the most frequent label among the top images.
        eta2: Share of the variance of the scores that lies between classes.
        auc: Largest area under the curve of one class against the rest.
        kurtosis: Excess kurtosis of the scores; 0 for a normal distribution.
    """

    entropy: Float[Tensor, " k"]
    purity: Float[Tensor, " k"]
    eta2: Float[Tensor, " k"]
    auc: Float[Tensor, " k"]
    kurtosis: Float[Tensor, " k"]


def selectivity(
    scores: Float[Tensor, "k n"], labels: Int64[Tensor, " n"], ranked: int = 500
) -> Selectivity:
    """Return the measures of each direction.

    Args:
        scores: Of each direction for each image; no direction may be constant.
        labels: Classes, from 0.
        ranked: Images, the first, from which the area under the curve is computed: to
            sort all images for thousands of directions takes minutes.
    """
    members = one_hot(labels).T.to(scores.dtype)
    shares = top_shares(scores, labels)
    centred = scores - scores.mean(1, keepdim=True)
    squares = centred.square()
    variance = squares.mean(1)
    between = (centred @ members.T).square() @ (1 / members.sum(1)) / len(labels)
    return Selectivity(
        entropy=-torch.special.xlogy(shares, shares).sum(1) / log(2),
        purity=shares.amax(1),
        eta2=between / variance,
        auc=class_auc(scores[:, :ranked], members[:, :ranked]).amax(1),
        kurtosis=squares.square().mean(1) / variance.square() - 3,
    )


def means(measures: Selectivity) -> dict[str, float]:
    """Return the mean of each measure over the directions."""
    return {name: float(one.mean()) for name, one in measures._asdict().items()}


def top_shares(
    scores: Float[Tensor, "k n"], labels: Int64[Tensor, " n"]
) -> Float[Tensor, "k classes"]:
    """Return the share of each class among the images with the largest scores."""
    first = scores.topk(min(TOP, len(labels)), dim=1).indices
    counts = scores.new_zeros(len(scores), int(labels.max()) + 1)
    counts.scatter_add_(1, labels[first], torch.ones_like(first, dtype=scores.dtype))
    return counts / first.shape[1]


def class_auc(
    scores: Float[Tensor, "k n"], members: Float[Tensor, "classes n"]
) -> Float[Tensor, "k classes"]:
    """Return the area under the curve of each class against the rest.

    It is the probability that an image of the class has a larger score than another
    image. Of equal scores, the order of the images decides.

    Args:
        scores: Of each direction for each image.
        members: 1 where the image belongs to the class, else 0.
    """
    # numpy sorts several times faster than torch.
    order = torch.from_numpy(np.argsort(scores.numpy(), axis=1))
    ascending = torch.arange(1, scores.shape[1] + 1, dtype=scores.dtype)
    ranks = torch.empty_like(scores).scatter_(1, order, ascending.expand_as(scores))
    inside = members.sum(1).clamp(min=1)
    outside = (scores.shape[1] - inside).clamp(min=1)
    wins = ranks @ members.T - inside * (inside + 1) / 2
    return wins / (inside * outside)
