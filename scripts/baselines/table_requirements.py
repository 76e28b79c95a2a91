"""Step: what is required of the attacks, and what the comparison measures."""

import pandas as pd

from intriguing.baselines.requirements import kinds_of, requirements_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table

GROUPS = ("dense", "convolutional", "exact")


def run(**groups: dict[str, str]) -> pd.DataFrame:
    """Return the tidy table ``peers-requirements``.

    Args:
        groups: Files of each of `GROUPS`, by ``network:criterion``: of every attack's
            lengths and costs, or of lengths beside exact optima.
    """
    frames = {
        group: {name: pd.read_parquet(path) for name, path in files.items()}
        for group, files in groups.items()
    }
    return requirements_table(**frames)


if __name__ == "__main__":
    names, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        groups = {g: dict(zip(names[g], files[g], strict=True)) for g in GROUPS}
        table = run(**groups)
        title = "Requirements on the attacks"
        write_table(table, snakemake.output.peers_requirements, title, kinds_of(table))
