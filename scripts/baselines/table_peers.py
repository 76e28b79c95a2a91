"""Step: success, distortion and cost of every attack of the comparison."""

import pandas as pd

from intriguing.baselines.summary import KINDS, peers_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(records: dict[str, str]) -> pd.DataFrame:
    """Return the tidy table ``peers``, from the file of each ``network:kind``."""
    return peers_table({name: pd.read_parquet(path) for name, path in records.items()})


if __name__ == "__main__":
    names = snakemake.params.settings["names"]
    with step_log(snakemake, threads=None):
        table = run(dict(zip(names, snakemake.input.records, strict=True)))
        write_table(table, snakemake.output.peers, "Attacks compared", KINDS)
