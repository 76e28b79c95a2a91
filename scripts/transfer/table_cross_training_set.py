"""Step: Table 4, distorted test images fed to networks of both splits; its claims."""

from pathlib import Path

import pandas as pd

from intriguing.stats.agreement import to_json
from intriguing.tables.rates import transfer_cells
from intriguing.tables.tidy import tidy
from intriguing.transfer.training_set_claims import claims
from intriguing.workflow.files import write_text
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import FORMS, read_published, write_table


def run(
    answers: pd.DataFrame, rows: list[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Return the tidy table of chosen rows: errors by network, and distortion.

    Args:
        answers: Every network's answer to every image.
        rows: Sets of images, in the order of the table.
        published: The paper's numbers.
    """
    return tidy(transfer_cells(answers, rows), published, "cross-training-set")


if __name__ == "__main__":
    settings, files, output = (
        snakemake.params.settings,
        snakemake.input,
        snakemake.output,
    )
    with step_log(snakemake, threads=None):
        answers = pd.read_parquet(files.answers)
        published = read_published(files.published)
        tables = {
            "table": ("Table 4: transfer across training sets", settings["rows"]),
            "controls": ("Controls of Table 4", settings["controls"]),
        }
        for name, (title, rows) in tables.items():
            outputs = {kind: output[f"{name}_{kind}"] for kind in FORMS}
            write_table(run(answers, rows, published), outputs, title)
        found = claims(answers, settings["splits"])
        write_text(Path(output.claims), to_json(found))
