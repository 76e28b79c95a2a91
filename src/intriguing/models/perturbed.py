"""Perturbed images: their lengths, noise as a control, and predictions for them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor, nn

from intriguing.models.evaluation import predict

Sets = dict[str, Tensor]
"""Distorted images, by the name of their table row."""


def root_mean_square(perturbation: Float[Tensor, " n *pixels"]) -> Float[Tensor, " n"]:
    """Return the distortion of each image: the root mean square over its pixels."""
    return perturbation.flatten(1).square().mean(1).sqrt()


def lengthen(
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    factor: Float[Tensor, " n"] | float,
) -> Float[Tensor, " n *pixels"]:
    """Return images with perturbations multiplied by a factor; nothing is clipped.

    ``factor`` is one for each image, or one for all.
    """
    factors = torch.as_tensor(factor, dtype=clean.dtype)
    return clean + _times(factors, adversarial - clean)


def amplify(
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    distortion: float,
) -> Float[Tensor, " n *pixels"]:
    """Return images with perturbations scaled to one distortion (root mean square).

    Pixels may leave [0, 1]: the paper does not mention clipping, and clipped images
    would not have the distortion that labels its rows. An image without perturbation
    stays unchanged.
    """
    length = root_mean_square(adversarial - clean)
    factor = torch.where(length > 0, distortion / length, torch.zeros_like(length))
    return lengthen(clean, adversarial, factor)


def add_noise(
    images: Float[Tensor, " n *pixels"], deviation: float, seed: int
) -> Float[Tensor, " n *pixels"]:
    """Return images with Gaussian noise of a standard deviation in units of pixels.

    Nothing is clipped: the paper's Figure 7 shows pixels darker than the background.
    """
    return images + deviation * _standard_noise(images, seed)


def matched_noise(
    images: Float[Tensor, " n *pixels"], distortion: Float[Tensor, " n"], seed: int
) -> Float[Tensor, " n *pixels"]:
    """Return images with Gaussian noise scaled to a given distortion of each image.

    It is the control for adversarial images: a perturbation of the same length in a
    random direction.
    """
    noise = _standard_noise(images, seed)
    return images + _times(distortion / root_mean_square(noise), noise)


def _times(factor: Tensor, images: Tensor) -> Tensor:
    return factor.reshape(-1, *[1] * (images.dim() - 1)) * images


def _standard_noise(like: Tensor, seed: int) -> Tensor:
    generator = np.random.default_rng([seed, 3])
    return torch.from_numpy(generator.standard_normal(tuple(like.shape), np.float32))


def predictions_on(
    networks: Mapping[str, nn.Module],
    sets: Sets,
    clean: Float[Tensor, " n *pixels"],
    known: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the prediction of each network for each image of each set.

    Args:
        networks: By the name of their column.
        sets: Distorted images by the name of their row, in the order of ``clean``.
        clean: Unperturbed images.
        known: Other columns, such as ``seed``, ``label`` and ``index``: a tensor with a
            value for each image, or one value for all.

    Returns:
        ``row``, ``column``, the known columns, ``distortion`` (root mean square per
        pixel) and ``prediction`` of each image.
    """
    found = []
    for row, images in sets.items():
        distortion = root_mean_square(images - clean).numpy()
        for column, network in networks.items():
            predicted = predict(network, images).argmax(1).numpy()
            own = {"distortion": distortion, "prediction": predicted}
            found.append({"row": row, "column": column, **known, **own})
    # Frames last: allocating them between the passes would fragment the memory.
    return pd.concat(map(pd.DataFrame, found), ignore_index=True)
