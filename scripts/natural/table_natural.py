"""Step: Figure 5 in numbers: distortions, rounding, and transfer of natural images."""

import json
from pathlib import Path

import pandas as pd

from intriguing.natural.table import attack_cells, transfer_cells
from intriguing.stats.intervals import Interval, rate_interval
from intriguing.tables.tidy import tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import FORMS, read_published, write_table

ATTACKS = ("fixed", "random")


def run(
    counts: dict[str, str], answers: list[pd.DataFrame], known: pd.DataFrame
) -> pd.DataFrame:
    """Return the tidy table ``natural``, a row a network.

    Args:
        counts: File with the wrong and all images of each network.
        answers: Of the networks of each data set to its images.
        known: Numbers to be held against: the paper's, and those of the weights.
    """
    cells = {}
    expected = known[known["column"] == "expected"].set_index("row")["value"]
    for network, path in counts.items():
        test = json.loads(Path(path).read_text())["test"]
        right = test["images"] - test["wrong"]
        cells[network, "top-1"] = rate_interval([right], [test["images"]])
        stated = expected.get(network)
        cells[network, "expected"] = stated and Interval(stated, stated, stated)
        for own in (part for part in answers if network in set(part["source"])):
            cells |= attack_cells(network, own, ATTACKS)
    paper = known[known["row"] == "figure-5"]
    # The paper's number is of photographs, which are the first data set.
    beside = [paper.assign(row=name) for name in answers[0]["source"].unique()]
    table = tidy(cells, pd.concat(beside), "natural")
    return table.assign(**table[["low", "high"]].mask(table["column"] == "expected"))


if __name__ == "__main__":
    settings, files = snakemake.params.settings, snakemake.input
    with step_log(snakemake, threads=None):
        counts = dict(zip(settings["networks"], files.counts, strict=True))
        answers = [pd.read_parquet(path) for path in files.answers]
        known = read_published(files.known)
        tables = {
            "natural": (run(counts, answers, known), "Figure 5 in numbers"),
            "transfer": (
                tidy(transfer_cells(answers[0]), known, "natural-transfer"),
                "Adversarial photographs across networks",
            ),
        }
        for name, (table, title) in tables.items():
            outputs = {kind: snakemake.output[f"{name}_{kind}"] for kind in FORMS}
            write_table(table, outputs, title)
