"""Step: what is required of the attacks, and what the comparison measures."""

import pandas as pd

from intriguing.baselines.requirements import kinds_of, requirements_table
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(compared: dict[str, str], exact: dict[str, str]) -> pd.DataFrame:
    """Return the tidy table ``peers-requirements``.

    Args:
        compared: Files of every attack's lengths and costs, by ``network:kind``.
        exact: Files of lengths beside exact optima, likewise.
    """
    frames = (
        {name: pd.read_parquet(path) for name, path in files.items()}
        for files in (compared, exact)
    )
    return requirements_table(*frames)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        compared = dict(zip(settings["compared"], files.compared, strict=True))
        exact = dict(zip(settings["exact"], files.exact, strict=True))
        table = run(compared, exact)
        title = "Requirements on the attacks"
        write_table(table, snakemake.output.peers_requirements, title, kinds_of(table))
