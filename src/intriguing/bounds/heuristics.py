"""How far norms of Jacobians presumed from moments are from those at images."""

from collections.abc import Iterator, Sequence
from math import log
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtr

from intriguing.bounds.gradients import BATCH, norms_at, norms_of, steepest_in_box
from intriguing.bounds.network import ACTIVATIONS, Network
from intriguing.bounds.presumed import (
    GaussianLayer,
    Moments,
    dependent,
    independent,
    mean_squared_norm,
    operations,
    operations_of_one_image,
    propagated,
    uncorrelated_squared_norm,
)

QUANTILE = 0.99
RARE = 1e-4
"""Share of images whose probability is extrapolated."""
SAMPLE = 2_000
"""Draws from which a quantile is read and a tail extrapolated."""
SEARCHED = 16
"""Steepest test images from which the search in the box starts."""

Points = Float[np.ndarray, "_ d"]
Labels = Int[np.ndarray, " _"]


class Mixture(NamedTuple):
    """A layer model for each class of images, and how frequent the class is."""

    shares: Float[np.ndarray, " c"]
    layers: Sequence[Sequence[GaussianLayer]]


def moments_of(points: Points) -> Moments:
    """Return the mean and the covariance of flat images."""
    return Moments(points.mean(0), np.cov(points.T, bias=True))


def heuristic_errors(
    network: Network, train: tuple[Points, Labels], test: Points, draws: int, seed: int
) -> dict[str, float]:
    """Return what each presumption predicts, over what test images show.

    Args:
        network: With at least one hidden layer.
        train: Flat images and their classes, whose moments are all that is used.
        test: Flat images at which norms are measured.
        draws: Images drawn from the Gaussians, which say how often the rare happens.
        seed: Of the draws.
    """
    found, models = norms_of(network, test), _models(network, *train)
    measured = float(found.squared.mean())
    presumed = _presumed_squares(network, models)
    facts = {name: value / measured for name, value in presumed.items()}
    facts["saving"] = _saving(network, facts["classes"] - 1, found.squared)
    generator = np.random.default_rng(seed)
    drawn = {
        "units": _layerwise(network, models.independent_classes, generator, SAMPLE),
        "layers": _layerwise(network, models.classes, generator, SAMPLE),
        "inputs": _through(network, models.classes, generator, SAMPLE),
    }
    highest = float(np.quantile(found.spectral, QUANTILE))
    facts |= {"measured": measured, "measured 99 %": highest}
    for name, norms in drawn.items():
        facts[f"99 % {name}"] = float(np.quantile(norms, QUANTILE)) / highest
    often = _through(network, models.classes, generator, draws)
    rare = float(np.quantile(often, 1 - RARE))
    for name in ("layers", "inputs"):
        facts[f"rare {name}"] = normal_tail(drawn[name], rare) / RARE
    steepest = test[np.argsort(-found.spectral)[:SEARCHED]]
    box = max(steepest_in_box(network, steepest, seed), float(found.spectral.max()))
    return facts | {"worst": box / rare}


class _Models(NamedTuple):
    """Layers presumed Gaussian, of all images together and of each class.

    Attributes:
        layers: Of all images.
        independent_layers: The same with independent units.
        classes: Of each class.
        independent_classes: The same with independent units.
    """

    layers: Sequence[GaussianLayer]
    independent_layers: Sequence[GaussianLayer]
    classes: Mixture
    independent_classes: Mixture


def _models(network: Network, points: Points, labels: Labels) -> _Models:
    """Return the models, each with dependent units and with independent ones."""
    classes, every = np.unique(labels), moments_of(points)
    shares = np.array([(labels == one).mean() for one in classes])
    own = [moments_of(points[labels == one]) for one in classes]
    layers, alone = (
        propagated(network, every, keep) for keep in (dependent, independent)
    )
    mixture, mixture_alone = (
        Mixture(shares, [propagated(network, moments, keep) for moments in own])
        for keep in (dependent, independent)
    )
    return _Models(layers, alone, mixture, mixture_alone)


def _presumed_squares(network: Network, models: _Models) -> dict[str, float]:
    """Return E‖J‖² by each presumption, from the strongest to the weakest."""
    shares, classes = models.classes
    by_class = [mean_squared_norm(network, layers) for layers in classes]
    return {
        "uncorrelated": uncorrelated_squared_norm(network, models.independent_layers),
        "units": mean_squared_norm(network, models.independent_layers),
        "layers": mean_squared_norm(network, models.layers),
        "classes": float(shares @ by_class),
    }


def normal_tail(norms: Float[np.ndarray, " k"], level: float) -> float:
    """Return the probability beyond a level, if logarithms are Gaussian.

    Norms of zero, where a network is constant, count as below the level.
    """
    logs = np.log(norms[norms > 0])
    beyond = ndtr((logs.mean() - log(level)) / logs.std(ddof=1))
    return float(beyond * (norms > 0).mean())


def _saving(network: Network, error: float, squared: Float[np.ndarray, " k"]) -> float:
    """Return the operations of images with an equal error, over those of moments."""
    sizes = [network.weights[0].shape[1], *network.sizes, len(network.biases[-1])]
    images = (squared.std() / squared.mean() / error) ** 2
    # Of all classes: their covariances are propagated one by one.
    return images * operations_of_one_image(sizes) / (sizes[-1] * operations(sizes))


def _layerwise(
    network: Network, mixture: Mixture, generator: np.random.Generator, count: int
) -> Float[np.ndarray, " k"]:
    """Return norms with each layer's pre-activations drawn by themselves."""
    norms = []
    for layers, number in _of_each_class(mixture, generator, count):
        samplers = [_Sampler(layer.before) for layer in layers]
        for drawn in _parts(number):
            hidden = [sampler.draw(generator, drawn) for sampler in samplers]
            norms.append(norms_at(network, hidden).spectral)
    return np.concatenate(norms)


def _through(
    network: Network, mixture: Mixture, generator: np.random.Generator, count: int
) -> Float[np.ndarray, " k"]:
    """Return norms with the first layer drawn and the others computed from it."""
    value, norms = ACTIVATIONS[network.activation].value, []
    following = list(zip(network.weights[1:-1], network.biases[1:-1], strict=True))
    for layers, number in _of_each_class(mixture, generator, count):
        first = _Sampler(layers[0].before)
        for drawn in _parts(number):
            hidden = [first.draw(generator, drawn)]
            for weight, bias in following:
                hidden.append(value(hidden[-1]) @ weight.T + bias)
            norms.append(norms_at(network, hidden).spectral)
    return np.concatenate(norms)


def _of_each_class(
    mixture: Mixture, generator: np.random.Generator, count: int
) -> Iterator[tuple[Sequence[GaussianLayer], int]]:
    """Yield the layers of a class and how many of the draws it has."""
    numbers = generator.multinomial(count, mixture.shares / mixture.shares.sum())
    yield from zip(mixture.layers, map(int, numbers), strict=True)


def _parts(count: int) -> Iterator[int]:
    """Yield how many draws are held at once."""
    for start in range(0, count, BATCH):
        yield min(BATCH, count - start)


class _Sampler:
    """Draws of a Gaussian vector, whose covariance may be singular."""

    def __init__(self, moments: Moments) -> None:
        values, vectors = np.linalg.eigh(moments.covariance)
        self.mean, self.root = moments.mean, vectors * np.sqrt(values.clip(0))

    def draw(self, generator: np.random.Generator, count: int) -> Points:
        noise = generator.standard_normal((count, len(self.root)))
        return self.mean + noise @ self.root.T
