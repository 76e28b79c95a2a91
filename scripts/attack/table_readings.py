"""Step: which reading of the paper's open choices its printed distortions support."""

import numpy as np
import pandas as pd

from intriguing.attack.readings import (
    AVERAGES,
    averaged,
    bootstrap_counts,
    bootstrap_interval,
    log_ratio_size,
    posterior,
)
from intriguing.stats.intervals import Interval
from intriguing.tables.tidy import Kinds, tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

KEPT = ("all", "correct")
"""Images that count: all, or those that the network classifies correctly."""


def run(
    records: dict[str, dict[str, pd.DataFrame]],
    linear: list[str],
    published: pd.DataFrame,
) -> tuple[pd.DataFrame, Kinds]:
    """Return the tidy table ``readings``, a row for each reading, and its kinds.

    ``judged`` is the size of the logarithms of printed over measured distortions of the
    linear networks, ``held-out`` that of the other networks.

    Args:
        records: Of the same images, by attack and network.
        linear: Networks that judge the readings.
        published: The paper's numbers.
    """
    rows = published.query("table == 'models' and column == 'distortion'")
    printed = dict(zip(rows["row"], rows["value"], strict=True))
    networks = [name for name in printed if name in next(iter(records.values()))]
    others = [name for name in networks if name not in linear]
    cells, judged = {}, {}
    for row, values in averages_of_readings(records, networks).items():
        cells |= {(row, name): bootstrap_interval(one) for name, one in values.items()}
        judged[row] = log_ratio_size(values, printed, linear)
        cells[row, "judged"] = bootstrap_interval(judged[row])
        held_out = log_ratio_size(values, printed, others)
        cells[row, "held-out"] = bootstrap_interval(held_out)
    shares = posterior(np.stack(list(judged.values())), len(linear))
    for row, share in zip(judged, shares.tolist(), strict=True):
        cells[row, "posterior"] = Interval(share, share, share)
    kinds: Kinds = dict.fromkeys(networks, "distortion")
    kinds |= {"judged": "number", "held-out": "number", "posterior": "rate"}
    table = tidy(cells, published, "readings", kinds)
    # A probability, averaged over the bootstrap: it has no interval of its own.
    table.loc[table["column"] == "posterior", ["low", "high"]] = np.nan
    return table, kinds


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
        counts &= records["clean_prediction"] == records["label"]
    return records["distortion"].where(counts).to_numpy(np.float64)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        records: dict[str, dict[str, pd.DataFrame]] = {}
        for job, path in zip(settings["jobs"], files.records, strict=True):
            attack, model, _ = job
            attacked = pd.read_parquet(path)[: settings["sample"]]
            records.setdefault(attack, {})[model] = attacked
        published = read_published(files.published)
        table, kinds = run(records, settings["linear"], published)
        title = "Readings of the paper, judged by its distortions"
        write_table(table, snakemake.output.readings, title, kinds)
