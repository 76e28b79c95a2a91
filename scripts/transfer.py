"""Step: feed the images made for each network, and noise, to every network."""

from collections.abc import Iterator

import pandas as pd
from safetensors.torch import load_file
from torch import Tensor, nn

from intriguing.models import load_model, predict
from intriguing.transfer import Sets, adversarial_sets, noise_sets
from intriguing.workflow.files import replacing
from intriguing.workflow.step import progress, step_log

Network = tuple[str, int]


def run(
    weights: dict[Network, str], images: dict[Network, str], deviations: list[float]
) -> pd.DataFrame:
    """Return every network's answer to every image, one row each.

    What was made with seed s is fed to the networks of seed s, and to those that have
    the seed 0 only. A network that lacks the seed s, but has several, is left out.

    Args:
        weights: File of each network and seed.
        images: File of the adversarial images made for each.
        deviations: Standard deviations of the noise.
    """
    networks = {network: load_model(path) for network, path in weights.items()}
    tables, noisy = [], set()
    for (source, seed), path in progress(images.items(), "transfer"):
        stored = load_file(path)
        sets = adversarial_sets(source, stored["clean"], stored["adversarial"], seed)
        if seed not in noisy:  # images of a seed are the same for every network
            sets |= noise_sets(stored["clean"], deviations, seed)
        noisy.add(seed)
        fed = {name: networks[name, s] for name, s in fed_to(list(networks), seed)}
        tables += list(answers(fed, sets, stored, seed))
    return pd.concat(tables, ignore_index=True)


def fed_to(networks: list[Network], seed: int) -> list[Network]:
    """List the networks that images made with a seed are fed to."""
    seeds: dict[str, list[int]] = {}
    for name, own in networks:
        seeds.setdefault(name, []).append(own)
    chosen = {name: 0 if own == [0] else seed for name, own in seeds.items()}
    return [(name, one) for name, one in chosen.items() if one in seeds[name]]


def answers(
    fed: dict[str, nn.Module], sets: Sets, stored: dict[str, Tensor], seed: int
) -> Iterator[pd.DataFrame]:
    """Yield the answers of each network to each set of images."""
    label = stored["label"].numpy()
    for row, images in sets.items():
        shift = (images - stored["clean"]).flatten(1)
        known = {"seed": seed, "label": label, "index": stored["index"].numpy()}
        known["distortion"] = shift.square().mean(1).sqrt().numpy()
        for column, network in fed.items():
            predicted = predict(network, images).argmax(1).numpy()
            yield pd.DataFrame(
                {"row": row, "column": column, **known, "prediction": predicted}
            )


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    networks = [tuple(network) for network in settings["networks"]]
    with step_log(snakemake, threads=settings["threads"]):
        table = run(
            dict(zip(networks, files.weights, strict=True)),
            dict(zip(networks, files.images, strict=True)),
            settings["deviations"],
        )
        with replacing(snakemake.output[0]) as temporary:
            table.to_parquet(temporary, index=False)
