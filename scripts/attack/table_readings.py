"""Step: which reading of the paper's open choices its printed distortions support."""

import numpy as np
import pandas as pd

from intriguing.attack.readings import (
    averages_of_readings,
    bootstrap_interval,
    log_ratio_size,
    posterior,
    printed_distortions,
)
from intriguing.stats.intervals import Interval
from intriguing.tables.tidy import Kinds, own_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

Records = dict[str, dict[str, pd.DataFrame]]
"""Records of the same images, by attack and network."""


def run(
    records: Records, linear: list[str], published: pd.DataFrame
) -> tuple[pd.DataFrame, Kinds]:
    """Return the tidy table ``readings``, a row for each reading, and its kinds.

    ``judged`` is the size of the logarithms of printed over measured distortions of the
    linear networks, ``held-out`` that of the other networks.
    """
    printed = printed_distortions(published)
    networks = [name for name in printed if name in next(iter(records.values()))]
    others = [name for name in networks if name not in linear]
    cells, judged = {}, {}
    for row, values in averages_of_readings(records, networks).items():
        cells |= {(row, name): bootstrap_interval(one) for name, one in values.items()}
        judged[row] = log_ratio_size(values, printed, linear)
        cells[row, "judged"] = bootstrap_interval(judged[row])
        size = log_ratio_size(values, printed, others)
        cells[row, "held-out"] = bootstrap_interval(size)
    shares = posterior(np.stack(list(judged.values())), len(linear))
    for row, share in zip(judged, shares.tolist(), strict=True):
        cells[row, "posterior"] = Interval(share, share, share)
    kinds: Kinds = dict.fromkeys(networks, "distortion")
    kinds |= {"judged": "number", "held-out": "number", "posterior": "rate"}
    table = own_table(cells)
    # A probability, averaged over the bootstrap: it has no interval of its own.
    table.loc[table["column"] == "posterior", ["low", "high"]] = np.nan
    return table, kinds


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        records: Records = {}
        for job, path in zip(settings["jobs"], files.records, strict=True):
            sampled = pd.read_parquet(path)[: settings["sample"]]
            records.setdefault(job[0], {})[job[1]] = sampled
        table, kinds = run(records, settings["linear"], read_published(files.published))
        title = "Readings of the paper, judged by its distortions"
        write_table(table, snakemake.output.readings, title, kinds)
