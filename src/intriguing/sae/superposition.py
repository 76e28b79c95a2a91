"""Does adversarial training change superposition? Two measures, on the same networks.

Gorton and Lewis (2025) measure superposition by the loss of a sparse code and find that
adversarial training lowers it. Bereska et al. (2025) count effective features, the
exponential of the entropy of a code's latents, and find that the effect depends on the
capacity of the network.
"""

from collections.abc import Iterator, Sequence

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from intriguing.attack.typical_distance import error_and_distance
from intriguing.models.architecture import build
from intriguing.sae.code import SparseCode
from intriguing.sae.measure import CodeSettings, layers_of
from intriguing.sae.quality import unexplained
from intriguing.tables.over_seeds import factor_entry, mean_entry
from intriguing.tables.tidy import Entry, Kinds
from intriguing.training.convolutional import initialise_rectifiers
from intriguing.training.loop import AdamRecipe, train
from intriguing.training.rectified import rectified_architecture

RECIPE = AdamRecipe(learning_rate=2e-3, epochs=8, batch=100)
HIDDEN_LAYERS, DIGITS = 2, 10
SPARSITY, DICTIONARY = 0.1, 4
"""Active latents of an image, as a share of the units, and latents for each unit."""
CHANGE = "change"
"""Row of the ratios between the strongest adversarial training and none."""
RATIO = " ratio"
"""Suffix of a column of ratios."""
LAYERS = range(1, HIDDEN_LAYERS + 1)
MEASURES = (
    *("error", "distance"),
    *(f"fvu-{layer}" for layer in LAYERS),
    *(f"features-{layer}" for layer in LAYERS),
)
KINDS: Kinds = {
    "distance": "number",
    **dict.fromkeys((f"features-{layer}" for layer in LAYERS), "ratio"),
    **dict.fromkeys((f"{measure}{RATIO}" for measure in MEASURES), "ratio"),
}


def fit_against_perturbations(
    pixels: Float[Tensor, "n ..."],
    labels: Int[Tensor, " n"],
    width: int,
    radius: float,
    seed: int,
) -> nn.Sequential:
    """Return a trained network of two hidden layers of ReLU units.

    Each image is replaced by itself plus a step of a given length along the gradient of
    the loss, clipped to [0, 1].

    Args:
        pixels: Training images.
        labels: Their classes.
        width: Units of a hidden layer.
        radius: Length of the step; 0 trains on the images as they are.
        seed: Decides initial weights and the order of the images.
    """
    sizes = [pixels[0].numel(), *[width] * HIDDEN_LAYERS, DIGITS]
    network = build(rectified_architecture(sizes))
    generator = torch.Generator().manual_seed(seed)
    initialise_rectifiers(network, generator)

    def loss(indices: Tensor) -> Tensor:
        images, own = pixels[indices], labels[indices]
        if radius > 0:
            images = images.clone().requires_grad_(True)
            (slope,) = torch.autograd.grad(cross_entropy(network(images), own), images)
            step = radius * normalize(slope.flatten(1)).view_as(images)
            images = (images + step).clamp(0, 1).detach()
        return cross_entropy(network(images), own)

    groups = {0.0: list(network.parameters())}
    return train(network, loss, groups, len(pixels), RECIPE, generator, iter)


def effective_features(
    code: SparseCode, activations: Float[Tensor, "n units"]
) -> float:
    """Return exp(entropy) of the latents' shares of the total activation.

    It is the number of latents if all are used alike, and 1 if one is used alone.
    """
    total = code.encode(activations).detach().double().abs().sum(0)
    shares = total[total > 0] / total.sum()
    return float(torch.exp(-(shares * shares.log()).sum()))


def measured_superposition(
    network: nn.Sequential,
    train_images: Float[Tensor, "n 1 h w"],
    test: tuple[Float[Tensor, "m 1 h w"], Int[Tensor, " m"]],
    attacked: int,
    epochs: int,
    seed: int,
) -> dict[str, float]:
    """Return test error, distance, and both measures at each hidden layer.

    The first two are those of `error_and_distance`; ``features`` are effective features
    as a share of the layer's units.

    Args:
        network: Of `fit_against_perturbations`.
        train_images: Images on which the codes are trained.
        test: Images on which all is measured, and labels.
        attacked: Number of test images that are attacked, the first that are correct.
        epochs: Of the codes.
        seed: Of the codes.
    """
    facts = error_and_distance(network, *test, attacked)
    for number, layer in enumerate(layers_of(network), start=1):
        known, seen = layer.encoder(train_images), layer.encoder(test[0])
        units = known.shape[1]
        settings = CodeSettings(DICTIONARY, max(round(SPARSITY * units), 1), epochs)
        code = settings.fit(known, seed)
        facts[f"fvu-{number}"] = unexplained(code, seen)
        facts[f"features-{number}"] = effective_features(code, seen) / units
    return facts


def superposition_entries(records: pd.DataFrame) -> list[Entry]:
    """Return rows of the table ``superposition``: means, and the change at each width.

    The change is the ratio of the strongest adversarial training to none, as a
    geometric mean over seeds.

    Args:
        records: ``width``, ``radius``, ``seed`` and the measures of every network.
    """
    entries = []
    for width, networks in records.groupby("width"):
        for radius, own in networks.groupby("radius"):
            row = f"{width}:{radius:g}"
            values = ((name, own[name].tolist()) for name in MEASURES)
            entries += [mean_entry(row, *one, least=0) for one in values]
        for name in MEASURES:
            ratios = list(changes(networks, name))
            entries.append(factor_entry(f"{width}:{CHANGE}", f"{name}{RATIO}", ratios))
    return entries


def changes(records: pd.DataFrame, column: str) -> Iterator[float]:
    """Yield a measure after the strongest training over that after none, by seed."""
    radii: Sequence[float] = sorted(records["radius"].unique())
    for _, own in records.groupby("seed"):
        values = own.set_index("radius")[column]
        yield float(values[radii[-1]] / values[radii[0]])
