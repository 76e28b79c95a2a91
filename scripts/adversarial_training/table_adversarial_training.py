"""Step: test error, distortion and transfer of every way to regularise; the claims."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from intriguing.adversarial_training.claims import claims
from intriguing.adversarial_training.table import variant_cells
from intriguing.stats.agreement import Claim, to_json
from intriguing.tables.html import claims_page
from intriguing.tables.rates import Counts
from intriguing.tables.tidy import tidy
from intriguing.workflow.files import write_text
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import FORMS, read_published, write_table


def run(
    counts: Mapping[str, Sequence[Counts]],
    answers: pd.DataFrame,
    published: pd.DataFrame,
) -> tuple[pd.DataFrame, list[Claim]]:
    """Return the tidy table ``adversarial-training``, and the claims.

    Args:
        counts: Wrong and all images of each set, for each seed of each network.
        answers: Every network's answer to every image.
        published: The paper's numbers.
    """
    cells = variant_cells(counts, answers)
    table = tidy(cells, published, "adversarial-training")
    tested = {
        variant: [seed["test"] for seed in found] for variant, found in counts.items()
    }
    return table, claims(tested)


def shortened(answers: pd.DataFrame, prefix: str) -> pd.DataFrame:
    """Return the answers with the names of networks cut to those of their variants."""
    short = {name: answers[name].str.replace(prefix, "") for name in ("row", "column")}
    return answers.assign(**short)


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    prefix, output = settings["prefix"], snakemake.output
    with step_log(snakemake, threads=None):
        counts: dict[str, list[Counts]] = {}
        for (name, _), path in zip(settings["networks"], files.errors, strict=True):
            of_seed = json.loads(Path(path).read_text())
            counts.setdefault(name.removeprefix(prefix), []).append(of_seed)
        answers = pd.concat([pd.read_parquet(path) for path in files.answers])
        table, found = run(
            counts, shortened(answers, prefix), read_published(files.published)
        )
        forms = {kind: output[kind] for kind in FORMS}
        write_table(table, forms, "Adversarial training")
        write_text(Path(output.claims), to_json(found))
        write_text(Path(output.claims_html), claims_page(found))
