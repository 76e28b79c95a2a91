"""Step: the benchmark of SDP-CROWN, ours beside the published verifiers."""

import pandas as pd

from intriguing.bounds.table import BENCHMARK_KINDS, benchmark_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

if __name__ == "__main__":
    files = snakemake.input
    with step_log(snakemake, threads=None):
        known = pd.read_csv(files.published, sep="\t")
        decided, seconds = pd.read_parquet(files.records), read_json(files.seconds)
        table = frame_of(benchmark_entries(decided, seconds, known))
        title, place = "Benchmark of SDP-CROWN", snakemake.output.benchmark_sdp_crown
        write_table(table, place, title, BENCHMARK_KINDS)
