"""Step: every number of the paper's Tables 1 to 4 beside ours, and the verdicts."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from intriguing.tables.differences import (
    COUNT_KINDS,
    KINDS,
    NOTE,
    count_table,
    counted_rows,
    difference_table,
    readings,
)
from intriguing.tables.rates import distortions
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

Records = Mapping[tuple[str, str], Sequence[str]]
"""Files of each seed, by the table of the paper and the network."""


def run(
    tables: Sequence[str], records: Records, quick: Sequence[str], published: Path
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tidy tables ``differences`` and ``verdict-counts``.

    Args:
        tables: CSV files of our tables, which have the names of the paper's.
        records: Files of the attacked images.
        quick: The tables of the run of quick recipes; none without such a run.
        published: File of the paper's numbers.
    """
    attacked = {
        (*name, "distortion"): distortions([pd.read_parquet(path) for path in paths])
        for name, paths in records.items()
    }
    paper = read_published(published)
    ours, others = ({Path(p).stem: pd.read_csv(p) for p in x} for x in (tables, quick))
    found = readings(paper, ours, attacked, others)
    return difference_table(found), count_table(counted_rows(paper, found))


if __name__ == "__main__":
    files, output = snakemake.input, snakemake.output
    with step_log(snakemake, threads=None):
        records: dict[tuple[str, str], list[str]] = {}
        jobs = snakemake.params.settings["jobs"]
        for (table, network, _), path in zip(jobs, files.records, strict=True):
            records.setdefault((table, network), []).append(path)
        made = run(files.tables, records, files.get("quick", []), files.published)
        title = "Numbers of the paper beside ours"
        write_table(made[0], output.differences, title, KINDS, NOTE)
        write_table(made[1], output.verdict_counts, "Counts of verdicts", COUNT_KINDS)
