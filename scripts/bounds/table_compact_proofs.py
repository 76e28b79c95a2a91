"""Step: length and tightness of proofs of the Lipschitz constant."""

import pandas as pd

from intriguing.bounds.table import compact_entries, compact_kinds
from intriguing.tables.tidy import frame_of
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(paths: list[str]) -> pd.DataFrame:
    """Return the tidy table ``compact-proofs``, from the records of all depths."""
    records = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
    return frame_of(compact_entries(records))


if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        table = run(snakemake.input.records)
        title = "Length and tightness of proofs"
        path = snakemake.output.compact_proofs
        write_table(table, path, title, compact_kinds(table))
