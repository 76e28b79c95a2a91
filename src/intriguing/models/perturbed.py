"""Perturbed images: their lengths, noise as a control, and predictions for them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.models.evaluation import predict

Sets = dict[str, Tensor]
"""Distorted images, by the name of their table row."""


def root_mean_square(
    perturbation: Float[Tensor, " n *pixels"],
) -> Float[Tensor, " n"]:
    """Return the distortion of each image: the root mean square over its pixels."""
    return perturbation.flatten(1).square().mean(1).sqrt()


def lengthen(
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    factor: Float[Tensor, " n"] | float,
) -> Float[Tensor, " n *pixels"]:
    """Return images with perturbations multiplied by a factor; nothing is clipped.

    Args:
        clean: Unperturbed images.
        adversarial: Perturbed images.
        factor: One for each image, or one for all.
    """
    shape = (-1, *[1] * (clean.dim() - 1))
    factors = torch.as_tensor(factor, dtype=clean.dtype).reshape(shape)
    return clean + factors * (adversarial - clean)


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
    images: Float[Tensor, " n *pixels"], deviation: float, seed: int, clip: bool
) -> Float[Tensor, " n *pixels"]:
    """Return images with Gaussian noise of one standard deviation.

    Args:
        images: Pixels in [0, 1].
        deviation: Standard deviation, in units of pixels.
        seed: Seed of the noise.
        clip: Whether to clip pixels to [0, 1]. The paper does not clip its noise: its
            Figure 7 shows pixels darker than the background.
    """
    noisy = images + deviation * standard_noise(images, seed)
    return noisy.clamp(0, 1) if clip else noisy


def matched_noise(
    images: Float[Tensor, " n *pixels"], distortion: Float[Tensor, " n"], seed: int
) -> Float[Tensor, " n *pixels"]:
    """Return images with Gaussian noise scaled to a given distortion of each image.

    It is the control for adversarial images: a perturbation of the same length in a
    random direction.
    """
    noise = standard_noise(images, seed)
    factor = distortion / root_mean_square(noise)
    return images + factor.reshape(-1, *[1] * (images.dim() - 1)) * noise


def standard_noise(
    like: Float[Tensor, " n *pixels"], seed: int
) -> Float[Tensor, " n *pixels"]:
    """Return standard normal noise of a tensor's shape; only the seed determines it."""
    generator = np.random.default_rng([seed, 3])
    return torch.from_numpy(generator.standard_normal(tuple(like.shape), np.float32))


def predictions_on(
    networks: Mapping[str, nn.Module],
    sets: Sets,
    clean: Float[Tensor, " n *pixels"],
    labels: Int[Tensor, " n"],
    index: Int[Tensor, " n"],
    seed: int,
) -> pd.DataFrame:
    """Return the prediction of each network for each image of each set.

    Args:
        networks: By the name of their column.
        sets: Distorted images by the name of their row, in the order of ``clean``.
        clean: Unperturbed images.
        labels: True classes.
        index: Position of each image in the set that it was sampled from.
        seed: Seed of the sample and of the networks.

    Returns:
        ``row``, ``column``, ``seed``, ``label``, ``index``, ``distortion`` (root mean
        square per pixel) and ``prediction`` of each image.
    """
    known = {"seed": seed, "label": labels.numpy(), "index": index.numpy()}
    found = []
    for row, images in sets.items():
        distortion = root_mean_square(images - clean).numpy()
        for column, network in networks.items():
            predicted = predict(network, images).argmax(1).numpy()
            found.append((row, column, distortion, predicted))
    # Frames last: allocating them between the passes would fragment the memory.
    frames = [
        pd.DataFrame(
            {"row": row, "column": column, **known, "distortion": d, "prediction": p}
        )
        for row, column, d, p in found
    ]
    return pd.concat(frames, ignore_index=True)
