"""Step: norms of Jacobians presumed from moments, for one network and its seeds."""

import pandas as pd

from intriguing.bounds.heuristics import heuristic_errors
from intriguing.bounds.network import fully_connected
from intriguing.models.files import load_model
from intriguing.training.untrained import untrained_twin
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import step_log
from intriguing.workflow.tensors import Images, read_images

TRAINING_IMAGES = 20_000
"""Images whose moments are known."""


def run(
    weights: dict[int, str], train: Images, test: Images, name: str, draws: int
) -> pd.DataFrame:
    """Return what each presumption predicts, of a network and of its untrained twin.

    Args:
        weights: File of the network of each seed.
        train: Training images, whose moments are used.
        test: Test images, at which norms are measured.
        name: The network's.
        draws: Images drawn from the Gaussians.
    """
    known, seen = (flat[0].double().flatten(1).numpy() for flat in (train, test))
    labels = train[1][:TRAINING_IMAGES].numpy()
    rows = []
    for seed, path in weights.items():
        model = load_model(path)
        networks = {name: model, f"{name} untrained": untrained_twin(model, seed)}
        for row, network in networks.items():
            facts = heuristic_errors(
                fully_connected(network),
                (known[:TRAINING_IMAGES], labels),
                seen,
                draws,
                seed,
            )
            rows.append({"network": row, "seed": seed, **facts})
    return pd.DataFrame(rows).sort_values("network", kind="stable")


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=settings["threads"]):
        found = run(
            dict(zip(settings["seeds"], files.weights, strict=True)),
            read_images(files.train),
            read_images(files.test),
            snakemake.wildcards.network,
            settings["draws"],
        )
        write_parquet(snakemake.output[0], found)
