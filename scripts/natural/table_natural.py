"""Step: Figure 5 in numbers: distortions, rounding, and transfer of natural images."""

import pandas as pd

from intriguing.natural.table import attack_cells, transfer_cells
from intriguing.stats.intervals import Interval, rate_interval
from intriguing.tables.tidy import tidy
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

ATTACKS = ("fixed", "random")


def run(
    counts: dict[str, str], predictions: list[pd.DataFrame], known: pd.DataFrame
) -> pd.DataFrame:
    """Return the tidy table ``natural``, a row a network.

    It is made of the file of each network's counts of errors, and of the predictions
    for the images of each data set. ``known`` has the paper's numbers, and those of the
    weights.
    """
    cells = {}
    expected = known[known["column"] == "expected"].set_index("row")["value"]
    for network, path in counts.items():
        test, stated = read_json(path)["test"], expected.get(network)
        correct = test["images"] - test["wrong"]
        cells[network, "top-1"] = rate_interval([correct], [test["images"]])
        cells[network, "expected"] = stated and Interval(stated, stated, stated)
        for own in (frame for frame in predictions if network in set(frame["source"])):
            cells |= attack_cells(network, own, ATTACKS)
    paper = known[known["row"] == "figure-5"]
    # The paper's number is of photographs, which are the first data set.
    beside = [paper.assign(row=name) for name in predictions[0]["source"].unique()]
    table = tidy(cells, pd.concat(beside), "natural")
    return table.assign(**table[["low", "high"]].mask(table["column"] == "expected"))


if __name__ == "__main__":
    networks, files = snakemake.params.settings["networks"], snakemake.input
    output = snakemake.output
    with step_log(snakemake, threads=None):
        counts = dict(zip(networks, files.counts, strict=True))
        predictions = [pd.read_parquet(path) for path in files.predictions]
        known = read_published(files.known)
        table = run(counts, predictions, known)
        write_table(table, output.natural, "Figure 5 in numbers")
        table = tidy(transfer_cells(predictions[0]), known, "natural-transfer")
        title = "Adversarial photographs across networks"
        write_table(table, output.natural_transfer, title)
