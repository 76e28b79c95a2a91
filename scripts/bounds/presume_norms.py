"""Step: norms of Jacobians presumed from moments, for one network and its seeds."""

import pandas as pd

from intriguing.bounds.heuristics import heuristic_errors
from intriguing.bounds.network import fully_connected
from intriguing.models.files import load_model
from intriguing.training.untrained import untrained_twin
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images


def run(
    name: str, weights: dict[int, str], settings: dict, train: Images, test: Images
) -> pd.DataFrame:
    """Return what each presumption predicts, of a network and of its untrained twin.

    Args:
        name: The network's.
        weights: File of the network of each seed.
        settings: How many training images' moments are known as ``subset``, and how
            many images are drawn from the Gaussians as ``draws``.
        train: Training images.
        test: Test images, at which norms are measured.
    """
    known, seen = (flat[0].double().flatten(1).numpy() for flat in (train, test))
    known, labels = (part[: settings["subset"]] for part in (known, train[1].numpy()))
    rows = []
    for seed, path in weights.items():
        model = load_model(path)
        networks = {name: model, f"{name} untrained": untrained_twin(model, seed)}
        for row, network in networks.items():
            facts = heuristic_errors(
                fully_connected(network), (known, labels), seen, settings["draws"], seed
            )
            rows.append({"network": row, "seed": seed, **facts})
    return pd.DataFrame(rows).sort_values("network", kind="stable")


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        weights = dict(zip(settings["seeds"], files.weights, strict=True))
        sets = (read_images(path) for path in (files.train, files.test))
        found = run(snakemake.wildcards.network, weights, settings, *sets)
        write_parquet(snakemake.output[0], found)
