"""Step: Lipschitz constants of whole networks, bounded from both sides."""

import pandas as pd

from intriguing.bounds.table import CONSTANT_KINDS, constant_entries
from intriguing.tables.tidy import frame_of
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import write_table


def run(measured: dict[str, str]) -> pd.DataFrame:
    """Return the tidy table ``bounds``.

    Args:
        measured: File of the step ``constants`` for each network.
    """
    networks = {name: read_json(path) for name, path in measured.items()}
    return frame_of(constant_entries(networks))


if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        table = run(dict(zip(names, snakemake.input.measured, strict=True)))
        title = "Lipschitz constants of networks"
        write_table(table, snakemake.output.bounds, title, CONSTANT_KINDS)
