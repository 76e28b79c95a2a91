"""Sets of distorted images, and the networks that classify them (Tables 2 and 4)."""

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor, nn

from intriguing.models.perturbed import Sets, add_noise, matched_noise, root_mean_square
from intriguing.tables.row_names import CLEAN, MATCHED


def adversarial_sets(
    source: str,
    clean: Float[Tensor, " n *pixels"],
    adversarial: Float[Tensor, " n *pixels"],
    seed: int,
) -> Sets:
    """Return the images made for a network, and noise of the same distortions."""
    noisy = matched_noise(clean, root_mean_square(adversarial - clean), seed)
    return {source: adversarial, f"{MATCHED}{source}": noisy}


def noise_sets(
    clean: Float[Tensor, " n *pixels"], deviations: Sequence[float], seed: int
) -> Sets:
    """Return the clean images, and each noise level without and with clipping."""
    sets = {CLEAN: clean}
    for deviation in deviations:
        name = f"noise-{deviation:g}"
        sets[name] = add_noise(clean, deviation, seed, clip=False)
        sets[f"{name}-clipped"] = add_noise(clean, deviation, seed, clip=True)
    return sets


def networks_of_seed(
    networks: Mapping[tuple[str, int], nn.Module], seed: int
) -> dict[str, nn.Module]:
    """Return the networks that classify the images of one seed, by name.

    These are the networks of the same seed, and the convex ones, which have only the
    seed 0. A network with several seeds but not this one is left out.
    """
    seeds: dict[str, list[int]] = {}
    for name, own in networks:
        seeds.setdefault(name, []).append(own)
    chosen = {name: 0 if own == [0] else seed for name, own in seeds.items()}
    return {n: networks[n, s] for n, s in chosen.items() if s in seeds[n]}
