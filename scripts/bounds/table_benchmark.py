"""Step: the benchmark of SDP-CROWN, ours beside the published verifiers."""

import pandas as pd

from intriguing.bounds.table import BENCHMARK_KINDS, benchmark_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(records: str, seconds: str, published: str) -> pd.DataFrame:
    """Return the tidy table ``benchmark-sdp-crown``.

    Args:
        records: File of the decisions.
        seconds: File of the time they took.
        published: File of the published rates.
    """
    known = pd.read_csv(published, sep="\t")
    entries = benchmark_entries(pd.read_parquet(records), read_json(seconds), known)
    return frame_of(entries)


if __name__ == "__main__":
    files = snakemake.input
    with step_log(snakemake, threads=None):
        table = run(files.records, files.seconds, files.published)
        title = "Benchmark of SDP-CROWN"
        place = snakemake.output.benchmark_sdp_crown
        write_table(table, place, title, BENCHMARK_KINDS)
