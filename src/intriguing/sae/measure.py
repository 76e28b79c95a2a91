"""Codes of the hidden layers of a network, and what perturbations do to them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import nan
from typing import NamedTuple

import pandas as pd
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from intriguing.data import sample_indices
from intriguing.errors import InputError
from intriguing.sae.attacked import attack_both
from intriguing.sae.code import Keep, SparseCode, fit_code, top_k
from intriguing.sae.interference import Interference, interference_of, random_directions
from intriguing.sae.perturbations import (
    Attacked,
    Background,
    alignments,
    class_means,
    code_changes,
    margin_changes,
    perturbations_of,
)
from intriguing.sae.quality import agreement, purities, quality
from intriguing.stats.components import leading_components, principal_components
from intriguing.training.loop import AdamRecipe

CODE, AGAIN, FROZEN, LARGER = "code", "again", "frozen", "larger"
"""The code; the same with another seed; one whose decoder stays random; one with four
times as many latents."""
TIMES_LARGER = 4
OTHER_SEED = 1000
"""Added to the seed for ``again``."""
ALL = (CODE, AGAIN, FROZEN, LARGER)
LEARNING_RATE, BATCH, WARMUP = 2e-3, 100, 0.05
"""Of codes. With steps five times as long, latents of a layer die early in training."""
START_IMAGES = 5000
"""Training images, the first, near which the attack starts."""
LEADING = 0.9
"""Share of the variance of the data that the leading principal components hold."""


Images = tuple[Float[Tensor, "_ ..."], Int[Tensor, " _"]]
"""Pixels and labels."""


@dataclass(frozen=True)
class CodeSettings:
    """How codes are fitted.

    Attributes:
        width: Latents, as a multiple of the layer's units.
        k: Active latents of an image.
        epochs: Passes over the training images.
    """

    width: int
    k: int
    epochs: int

    def fit(
        self,
        activations: Float[Tensor, "n units"],
        seed: int,
        times: int = 1,
        fixed: tuple[str, ...] = (),
        keep: Keep | None = None,
    ) -> SparseCode:
        """Return a trained code.

        Args:
            activations: Of the training images.
            seed: Decides the first directions and the order of the images.
            times: Factor of the number of latents.
            fixed: Names of parameters that are not trained.
            keep: Rule of sparsity; TopK if not given.

        Raises:
            InputError: There are fewer latents than shall be active.
        """
        generator = torch.Generator().manual_seed(seed)
        latents = times * self.width * activations.shape[1]
        if self.k > latents:
            raise InputError(f"k: {self.k} of {latents} latents; lower it")
        keep = keep or top_k(self.k)
        code = SparseCode(activations, latents, keep, generator)
        recipe = AdamRecipe(LEARNING_RATE, self.epochs, BATCH, WARMUP)
        return fit_code(code, activations, recipe, generator, fixed)


class Layer(NamedTuple):
    """A hidden layer: the network up to it, and from there to the logits."""

    number: int
    encoder: nn.Sequential
    head: nn.Sequential


def layers_of(network: nn.Sequential) -> Iterator[Layer]:
    """Yield the hidden layers of a multilayer network, after their nonlinearity."""
    linear = [i for i, one in enumerate(network) if isinstance(one, nn.Linear)]
    for number, place in enumerate(linear[:-1], 1):
        yield Layer(number, network[: place + 2], network[place + 2 :])


def codes_of(
    activations: Float[Tensor, "n units"],
    settings: CodeSettings,
    kinds: Sequence[str],
    seed: int,
) -> dict[str, SparseCode]:
    """Return codes of a layer by name: `CODE`, and what it is compared with."""
    fits = {
        CODE: partial(settings.fit, activations, seed),
        AGAIN: partial(settings.fit, activations, seed + OTHER_SEED),
        FROZEN: partial(settings.fit, activations, seed, fixed=("decoder",)),
        LARGER: partial(settings.fit, activations, seed, times=TIMES_LARGER),
    }
    return {kind: fits[kind]() for kind in kinds}


def perturbation_rows(
    layer: Layer,
    code: SparseCode,
    attacked: Attacked,
    perturbations: Mapping[str, Float[Tensor, "n d"]],
    activations: Float[Tensor, "m units"],
    labels: Int[Tensor, " m"],
) -> list[dict[str, float | str]]:
    """Return the means over images of what each perturbation does to a code.

    ``activations`` and ``labels`` are those of the training images.

    Returns:
        For each perturbation, the measures of `code_changes` and `alignments`, the mean
        ``change`` of the margin, and two shares that the code does not carry:
        ``uncarried`` of the mean change, and ``uncarried-size`` of the sizes
        ``sum |change - carried| / sum |change|``. ``interference`` is the correlation
        of `Interference.correlations`, ``above-random`` the share of random directions
        of equal norm for which it is lower.
    """
    before = layer.encoder(attacked.pixels)
    means = class_means(activations, labels)
    towards = means[attacked.targets] - means[attacked.labels]
    _, components = principal_components(activations)
    interference = interference_of(code, before, attacked, activations, labels)
    by_chance = correlations_by_chance(interference, layer, attacked)
    rows = []
    for name, perturbation in perturbations.items():
        after = layer.encoder(attacked.pixels + perturbation)
        change, carried = margin_changes(code, layer.head, before, after, attacked)
        directions = code.directions(), components, towards
        measured = code_changes(code, before, after)
        measured |= alignments(after - before, *directions)
        correlation = interference.correlations(after)
        measured["interference"] = correlation
        measured["above-random"] = (by_chance < correlation).float().mean(0)
        rest = change - carried
        row = {key: float(one.mean()) for key, one in measured.items()}
        row |= {"perturbation": name, "change": float(change.mean())}
        row["uncarried"] = float(rest.sum() / change.sum())
        row["uncarried-size"] = float(rest.abs().sum() / change.abs().sum())
        rows.append(row)
    return rows


def correlations_by_chance(
    interference: Interference, layer: Layer, attacked: Attacked
) -> Float[Tensor, "directions n"]:
    """Return `Interference.correlations` of random directions of r's norm.

    They are the same for all codes of a layer.
    """
    generator = torch.Generator().manual_seed(layer.number)
    directions = random_directions(attacked.perturbations, generator)
    states = (layer.encoder(attacked.pixels + one) for one in directions)
    return torch.stack([interference.correlations(after) for after in states])


def leading_energy(
    perturbations: Mapping[str, Float[Tensor, "n d"]], pixels: Float[Tensor, "m d"]
) -> dict[str, float]:
    """Return each perturbation's share of energy in the data's leading components.

    They are the principal components that hold `LEADING` of the data's variance.
    """
    leading = leading_components(pixels, LEADING)
    return {
        name: float((one @ leading).square().sum() / one.square().sum())
        for name, one in perturbations.items()
    }


def measure_layer(
    layer: Layer,
    codes: Mapping[str, SparseCode],
    activations: Images,
    test: Images,
    attacked: Attacked,
    perturbations: Mapping[str, Float[Tensor, "n d"]],
) -> tuple[list[dict], list[dict]]:
    """Return the quality of each code of a layer, and what perturbations do to it.

    Args:
        layer: The layer.
        codes: Of its activations, by name.
        activations: Of the training images, and labels.
        test: Activations of the test images, and labels.
        attacked: Images, flattened.
        perturbations: Of these images, by name.
    """
    agreed = nan
    if AGAIN in codes:
        agreed = agreement(codes[CODE].directions(), codes[AGAIN].directions())
    generator = torch.Generator().manual_seed(layer.number)
    qualities, changes = [], []
    for name, code in codes.items():
        facts = {"layer": layer.number, "code": name}
        measured = quality(code, layer.head, *test)
        measured |= purities(code, *test, generator)
        qualities.append(measured | facts | {"agreement": agreed})
        rows = perturbation_rows(layer, code, attacked, perturbations, *activations)
        changes += [row | facts for row in rows]
    return qualities, changes


def measure_network(
    networks: tuple[nn.Sequential, nn.Sequential],
    train: Images,
    test: Images,
    settings: CodeSettings,
    kinds: Sequence[str],
    count: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the measures of all hidden layers of the first of two networks.

    Args:
        networks: The one that is examined, and one of the same kind.
        train: Training images and labels.
        test: Test images, of which some are perturbed, and labels.
        settings: Of the codes.
        kinds: Which codes are fitted, `CODE` among them.
        count: Number of images that are perturbed.
        seed: Decides images, targets, controls and codes.
    """
    rows = torch.from_numpy(sample_indices(len(test[1]), count, seed))
    sample, starts = (test[0][rows], test[1][rows]), train[0][:START_IMAGES]
    attacked, other = attack_both(*networks, *sample, starts, seed)
    background = Background(train[0].flatten(1), train[1])
    generator = torch.Generator().manual_seed(seed)
    perturbations = perturbations_of(attacked, other, background, generator)
    qualities, changes = [], []
    for layer in layers_of(networks[0]):
        known = layer.encoder(background.pixels), background.labels
        codes = codes_of(known[0], settings, kinds, seed)
        tested = layer.encoder(test[0]), test[1]
        made = measure_layer(layer, codes, known, tested, attacked, perturbations)
        for whole, part in zip((qualities, changes), made, strict=True):
            whole += part
    energy = leading_energy(perturbations, background.pixels)
    frame = pd.DataFrame(changes)
    frame = frame.assign(energy=frame["perturbation"].map(energy), images=len(other))
    return pd.DataFrame(qualities), frame
