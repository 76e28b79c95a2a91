"""How often the images made for each network fool each of the others."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from intriguing.models.evaluation import predict
from intriguing.tables.row_names import FACTOR, MATCHED_LENGTH
from intriguing.transfer.amplification import amplify, lengthen
from intriguing.transfer.predictions import matched_noise, root_mean_square

Network = tuple[str, int]
"""Name and seed."""
COLUMNS = [
    *("source", "source_seed", "target", "target_seed", "length", "distortion"),
    *("images", "fooled", "fooled_by_noise"),
]


def lengthened(
    clean: Float[Tensor, "n ..."],
    adversarial: Float[Tensor, "n ..."],
    factors: Sequence[float],
    distortions: Sequence[float],
) -> Iterator[tuple[str, Float[Tensor, "n ..."]]]:
    """Yield the images at each length of their perturbations, with its name."""
    for factor in factors:
        yield f"{FACTOR}{factor:g}", lengthen(clean, adversarial, factor)
    for distortion in distortions:
        longer = amplify(clean, adversarial, distortion)
        yield f"{MATCHED_LENGTH}{distortion:g}", longer


def fooled_counts(
    source: Network,
    networks: Mapping[Network, nn.Module],
    clean: Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"],
    lengths: Iterator[tuple[str, Float[Tensor, "n ..."]]],
) -> pd.DataFrame:
    """Return how many images made for a network fool each network, and noise as long.

    Args:
        source: The network that they were made for.
        networks: Networks that classify them.
        clean: Unperturbed images.
        labels: True classes.
        lengths: Images at several lengths of their perturbations, by name.

    Returns:
        The columns `COLUMNS`, one row a length and network. ``images`` counts those
        classified correctly when clean, the others count among them.
    """
    rows = []
    right = {n: correct(model, clean, labels) for n, model in networks.items()}
    for length, longer in lengths:
        distortion = root_mean_square(longer - clean)
        noisy = matched_noise(clean, distortion, source[1])
        for target, model in networks.items():
            kept = right[target]
            fooled = [kept & ~correct(model, x, labels) for x in (longer, noisy)]
            counts = [int(those.sum()) for those in (kept, *fooled)]
            known = (*source, *target, length, float(distortion.mean()))
            rows.append((*known, *counts))
    return pd.DataFrame(rows, columns=COLUMNS)


def correct(
    model: nn.Module, images: Float[Tensor, "n ..."], labels: Int[Tensor, " n"]
) -> Bool[Tensor, " n"]:
    """Return whether a network classifies each image correctly."""
    return predict(model, images).argmax(1) == labels
