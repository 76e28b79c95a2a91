"""What networks answer to distorted images: one row an image and network."""

from collections.abc import Mapping

import pandas as pd
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.models import predict
from intriguing.transfer import Sets


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
