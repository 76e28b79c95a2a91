"""Step: networks trained on orthogonal clusters, whose best classifier is known."""

import pandas as pd

from intriguing.smoothness.planted import clusters, distances, trained
from intriguing.workflow.files import write_parquet
from intriguing.workflow.step import step_log

COUNTS = (2, 4, 8, 16, 32)
SAMPLES, STARTS, POWER = 512, 1, 3


def run(seeds: int) -> pd.DataFrame:
    """Return the mean log distance by clusters, labels of the training, and seed.

    Args:
        seeds: Networks of each kind.
    """
    rows = []
    for seed in range(seeds):
        for count in COUNTS:
            data = clusters(count, SAMPLES, seed)
            classes = data.cluster % 2
            for name, labels, power in (
                ("two labels", classes, 1),
                ("a label for each cluster", data.cluster, 1),
                ("two labels, rectified cubes", classes, POWER),
            ):
                found = distances(trained(data, labels, seed, power), data, STARTS)
                distance = float(found[found > 0].log().mean())
                row = {"clusters": count, "labels": name, "seed": seed}
                rows.append({**row, "log-distance": distance})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    given = snakemake.params.settings
    with step_log(snakemake, threads=given["threads"]):
        write_parquet(snakemake.output[0], run(given["seeds"]))
