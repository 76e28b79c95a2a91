"""Step: success, distortion and cost of every attack of the comparison."""

import pandas as pd

from intriguing.baselines.summary import KINDS, peers_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(names: list[str], records: list[str]) -> pd.DataFrame:
    """Return the tidy table ``peers``.

    Args:
        names: ``network:targeted`` or ``network:untargeted`` of each file.
        records: Files of distortions and costs, a row an attack and image.
    """
    frames = map(pd.read_parquet, records)
    return peers_table(dict(zip(names, frames, strict=True)))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        table = run(snakemake.params.settings["names"], snakemake.input.records)
        write_table(table, snakemake.output, "Attacks compared", KINDS)
