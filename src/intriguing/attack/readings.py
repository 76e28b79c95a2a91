"""Which reading of the paper's open choices its printed distortions support.

A reading says how the perturbations were searched, which images count and how their
distortions were averaged. The linear networks judge it, because their weights are the
unique minimum of a convex loss: nothing else about them is open.

For a reading let ``e`` be the logarithms of printed over measured distortions of the
``n`` linear networks. They are taken to be normal with mean 0 and a variance that
nobody knows. With Jeffreys' prior of the variance the likelihood of the reading is
proportional to ``(sum of e^2)^(-n / 2)``. All readings are equally probable beforehand.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float

from intriguing.stats.intervals import TAIL, Interval

AVERAGES = ("mean", "pooled")
"""Mean over images, or the root of the mean square over all pixels of all images."""
KEPT = ("all", "correct")
"""Images that count: all, or those that the network classifies correctly."""
RESAMPLES = 2000
"""Bootstrap samples of the images."""


def printed_distortions(published: pd.DataFrame) -> dict[str, float]:
    """Return the distortion of each network in Table 1 of the paper."""
    rows = published.query("table == 'models' and column == 'distortion'")
    return dict(zip(rows["row"], rows["value"], strict=True))


def averages_of_readings(
    records: dict[str, dict[str, pd.DataFrame]], networks: list[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Return the average distortion of each network in each bootstrap sample."""
    found = {}
    for attack, of_network in records.items():
        counts = bootstrap_counts(len(of_network[networks[0]]))
        for kept in KEPT:
            of_images = {name: counting(of_network[name], kept) for name in networks}
            for average in AVERAGES:
                found[f"{attack}:{kept}:{average}"] = {
                    name: averaged(one, counts, average)
                    for name, one in of_images.items()
                }
    return found


def counting(records: pd.DataFrame, kept: str) -> np.ndarray:
    """Return the distortion of each image, NaN where the reading leaves it out."""
    counts = records["reached"]
    if kept == "correct":
        counts = counts & (records["clean_prediction"] == records["label"])
    return records["distortion"].where(counts).to_numpy(np.float64)


def bootstrap_counts(images: int, seed: int = 0) -> Float[np.ndarray, "b images"]:
    """Return how often each image is drawn: once in the first row, then at random."""
    draws = np.random.default_rng(seed).multinomial(
        images, np.full(images, 1 / images), RESAMPLES
    )
    return np.vstack([np.ones(images), draws])


def averaged(
    distortions: Float[np.ndarray, " images"],
    counts: Float[np.ndarray, "b images"],
    average: str,
) -> Float[np.ndarray, " b"]:
    """Return the average distortion in each bootstrap sample.

    Args:
        distortions: Of each image; NaN where it does not count.
        counts: Of each image in each sample.
        average: One of `AVERAGES`.
    """
    used = np.isfinite(distortions)
    values, weights = distortions[used], counts[:, used]
    if average == "mean":
        return weights @ values / weights.sum(1)
    return np.sqrt(weights @ values**2 / weights.sum(1))


def log_ratio_size(
    measured: Mapping[str, Float[np.ndarray, " b"]],
    printed: Mapping[str, float],
    networks: Sequence[str],
) -> Float[np.ndarray, " b"]:
    """Return the root mean square over networks of the log of printed over measured."""
    ratios = [np.log(printed[name] / measured[name]) for name in networks]
    return np.sqrt(np.square(ratios).mean(0))


def posterior(
    sizes: Float[np.ndarray, "readings b"], networks: int
) -> Float[np.ndarray, " readings"]:
    """Return the probability of each reading, averaged over bootstrap samples.

    Args:
        sizes: Of `log_ratio_size`, for each reading and sample.
        networks: Number of networks from which the sizes are computed.
    """
    likelihood = (sizes / sizes.min(0)) ** -float(networks)
    return (likelihood / likelihood.sum(0)).mean(1)


def bootstrap_interval(values: Float[np.ndarray, " b"]) -> Interval:
    """Return the first value, that of the images as they are, with a 95 % interval."""
    low, high = np.quantile(values[1:], [TAIL, 1 - TAIL])
    value = float(values[0])
    return Interval(value, min(float(low), value), max(float(high), value))
