"""Images made for one network, fed to another (the paper's Tables 2 and 4)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.models.evaluation import predict
from intriguing.tables.row_names import CLEAN, MATCHED

Sets = dict[str, Tensor]
"""Distorted images by the name of their row in the tables."""


def add_noise(
    images: Float[Tensor, " n *pixels"], deviation: float, seed: int, clip: bool
) -> Float[Tensor, " n *pixels"]:
    """Return images with Gaussian noise of one standard deviation.

    Args:
        images: Pixels in [0, 1].
        deviation: Standard deviation, in units of pixels.
        seed: Decides the noise.
        clip: Whether to bring pixels back into [0, 1]. The paper's noise is not
            clipped: its Figure 7 shows pixels darker than the background.
    """
    noisy = images + deviation * standard_noise(images, seed)
    return noisy.clamp(0, 1) if clip else noisy


def matched_noise(
    images: Float[Tensor, " n *pixels"], distortion: Float[Tensor, " n"], seed: int
) -> Float[Tensor, " n *pixels"]:
    """Return images with Gaussian noise of each image's given distortion.

    The control for an adversarial image: as long, in a random direction.
    """
    noise = standard_noise(images, seed)
    length = noise.flatten(1).square().mean(1).sqrt()
    factor = (distortion / length).reshape(-1, *[1] * (images.dim() - 1))
    return images + factor * noise


def standard_noise(
    like: Float[Tensor, " n *pixels"], seed: int
) -> Float[Tensor, " n *pixels"]:
    """Draw standard normal noise of a tensor's shape, by the seed alone."""
    drawn = np.random.default_rng([seed, 3]).standard_normal(
        tuple(like.shape), np.float32
    )
    return torch.from_numpy(drawn)


def adversarial_sets(
    source: str,
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    seed: int,
) -> Sets:
    """Return the images made for a network, and noise as long as each of them."""
    distortion = (adversarial - clean).flatten(1).square().mean(1).sqrt()
    matched = matched_noise(clean, distortion, seed)
    return {source: adversarial, f"{MATCHED}{source}": matched}


def noise_sets(
    clean: Float[Tensor, " n *pixels"], deviations: Sequence[float], seed: int
) -> Sets:
    """Return the clean images, and noise of each deviation, as it is and clipped."""
    sets = {CLEAN: clean}
    for deviation in deviations:
        name = f"noise-{deviation:g}"
        sets[name] = add_noise(clean, deviation, seed, clip=False)
        sets[f"{name}-clipped"] = add_noise(clean, deviation, seed, clip=True)
    return sets


def answers(
    networks: Mapping[str, nn.Module],
    sets: Sets,
    clean: Float[Tensor, " n *pixels"],
    labels: Int[Tensor, " n"],
    index: Int[Tensor, " n"],
    seed: int,
) -> pd.DataFrame:
    """Return the answers of each network to each set of images.

    Args:
        networks: By the name of their column.
        sets: Distorted images by the name of their row, in the order of ``clean``.
        clean: Unperturbed images.
        labels: True classes.
        index: Position of each image in the set it was drawn from.
        seed: Which draw of images and which networks these are.

    Returns:
        ``row``, ``column``, ``seed``, ``label``, ``index``, ``distortion`` (root mean
        square per pixel) and ``prediction`` of each image.
    """
    known = {"seed": seed, "label": labels.numpy(), "index": index.numpy()}
    found = []
    for row, images in sets.items():
        shift = (images - clean).flatten(1)
        distortion = shift.square().mean(1).sqrt().numpy()
        for column, network in networks.items():
            predicted = predict(network, images).argmax(1).numpy()
            found.append((row, column, distortion, predicted))
    # Frames last: made in between, they would leave holes in the memory.
    frames = [
        pd.DataFrame(
            {"row": row, "column": column, **known, "distortion": d, "prediction": p}
        )
        for row, column, d, p in found
    ]
    return pd.concat(frames, ignore_index=True)


def of_seed(
    networks: Mapping[tuple[str, int], nn.Module], seed: int
) -> dict[str, nn.Module]:
    """Return the networks that images of one seed are fed to, by name.

    Those of the same seed, and convex ones, which have the seed 0 only. One that lacks
    the seed, but has several, is left out.
    """
    seeds: dict[str, list[int]] = {}
    for name, own in networks:
        seeds.setdefault(name, []).append(own)
    chosen = {name: 0 if own == [0] else seed for name, own in seeds.items()}
    return {n: networks[n, s] for n, s in chosen.items() if s in seeds[n]}
