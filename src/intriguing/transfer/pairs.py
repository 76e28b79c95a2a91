"""How often the images made for each network fool each of the others."""

from collections.abc import Mapping, Sequence

import pandas as pd
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.models.evaluation import predict
from intriguing.models.perturbed import (
    Sets,
    amplify,
    lengthen,
    matched_noise,
    root_mean_square,
)
from intriguing.tables.row_names import FACTOR, MATCHED_LENGTH

COLUMNS = [
    *("source", "source_seed", "target", "target_seed", "length", "distortion"),
    *("images", "fooled", "fooled_by_noise"),
]


def lengthened(
    clean: Float[Tensor, "n ..."],
    adversarial: Float[Tensor, "n ..."],
    factors: Sequence[float],
    distortions: Sequence[float],
) -> Sets:
    """Return the images at each length of their perturbations, by its name."""
    times = {f"{FACTOR}{x:g}": lengthen(clean, adversarial, x) for x in factors}
    return times | {
        f"{MATCHED_LENGTH}{x:g}": amplify(clean, adversarial, x) for x in distortions
    }


def fooled_counts(
    source: tuple[str, int],
    networks: Mapping[tuple[str, int], nn.Module],
    clean: Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"],
    lengths: Sets,
) -> pd.DataFrame:
    """Return how many images of a network, and how much noise, fool each network.

    Networks have a name and a seed. ``lengths`` has the images made for the source at
    several lengths of their perturbations, by name.

    Returns:
        The columns `COLUMNS`, one row for each length and network. ``images`` is the
        number classified correctly when clean; of these, ``fooled`` and
        ``fooled_by_noise`` are misclassified when perturbed.
    """

    def correct(target: tuple[str, int], images: Tensor) -> Tensor:
        return predict(networks[target], images).argmax(1) == labels

    rows, known = [], {target: correct(target, clean) for target in networks}
    for length, longer in lengths.items():
        distortion = root_mean_square(longer - clean)
        noisy = matched_noise(clean, distortion, source[1])
        for target, kept in known.items():
            fooled = [kept & ~correct(target, images) for images in (longer, noisy)]
            counts = [int(those.sum()) for those in (kept, *fooled)]
            rows.append((*source, *target, length, float(distortion.mean()), *counts))
    return pd.DataFrame(rows, columns=COLUMNS)
