"""Step: feed the images made for each network trained on a split to every other one."""

from collections.abc import Iterator

import pandas as pd
from safetensors.torch import load_file
from torch import Tensor, nn

from intriguing.models.evaluation import predict
from intriguing.models.files import load_model
from intriguing.tables.row_names import FACTOR, MATCHED_LENGTH
from intriguing.transfer.amplification import amplify, lengthen
from intriguing.transfer.predictions import matched_noise, root_mean_square
from intriguing.workflow.files import replacing
from intriguing.workflow.step import progress, step_log

Network = tuple[str, int]


def run(
    settings: dict, weights: dict[Network, str], images: dict[Network, str]
) -> pd.DataFrame:
    """Return how many images of each network fool each other one, one row a pair.

    Args:
        settings: ``factors`` and ``distortions`` to which perturbations are brought.
        weights: File of each network and seed.
        images: File of the adversarial images made for each.
    """
    networks = {network: load_model(path) for network, path in weights.items()}
    rows = []
    for source, path in progress(images.items(), "pairs"):
        stored = load_file(path)
        clean, labels = stored["clean"], stored["label"]
        right = {n: _right(model, clean, labels) for n, model in networks.items()}
        for length, longer in lengthened(settings, clean, stored["adversarial"]):
            distortion = root_mean_square(longer - clean)
            noisy = matched_noise(clean, distortion, source[1])
            for target, model in networks.items():
                kept = right[target]
                fooled = [kept & ~_right(model, x, labels) for x in (longer, noisy)]
                counts = [int(those.sum()) for those in (kept, *fooled)]
                known = (*source, *target, length, float(distortion.mean()))
                rows.append((*known, *counts))
    ends = ["source", "source_seed", "target", "target_seed"]
    counted = ["images", "fooled", "fooled_by_noise"]
    return pd.DataFrame(rows, columns=[*ends, "length", "distortion", *counted])


def lengthened(
    settings: dict, clean: Tensor, adversarial: Tensor
) -> Iterator[tuple[str, Tensor]]:
    """Yield every lengthening of the perturbations, with its name."""
    for factor in settings["factors"]:
        yield f"{FACTOR}{factor:g}", lengthen(clean, adversarial, factor)
    for distortion in settings["distortions"]:
        longer = amplify(clean, adversarial, distortion)
        yield f"{MATCHED_LENGTH}{distortion:g}", longer


def _right(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    return predict(model, images).argmax(1) == labels


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    networks = [tuple(network) for network in settings["networks"]]
    with step_log(snakemake, threads=settings["threads"]):
        weights = dict(zip(networks, files.weights, strict=True))
        table = run(settings, weights, dict(zip(networks, files.images, strict=True)))
        with replacing(snakemake.output[0]) as temporary:
            table.to_parquet(temporary, index=False)
