"""Step: what adversarial training does to superposition, by the width of the layers."""

import pandas as pd

from intriguing.sae.superposition import KINDS, superposition_cells
from intriguing.tables.tidy import tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table


def run(paths: list[str], published: pd.DataFrame) -> pd.DataFrame:
    """Return the tidy table ``superposition``.

    Args:
        paths: Records of all widths.
        published: The paper's numbers; it has none of these.
    """
    records = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
    return tidy(superposition_cells(records), published, "superposition", KINDS)


if __name__ == "__main__":
    files = snakemake.input
    with step_log(snakemake, threads=None):
        table = run(files.records, read_published(files.published))
        title = "Adversarial training and superposition"
        write_table(table, snakemake.output.superposition, title, KINDS)
