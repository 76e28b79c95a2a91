"""Step: minimal perturbations beside those of the paper's method."""

import pandas as pd

from intriguing.attack.minimal_norm import KINDS, length_cells
from intriguing.tables.tidy import tidy
from intriguing.workflow.files import by_model
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import read_published, write_table

METHODS = ("lbfgs", "minimal")


def run(
    minimal: dict[str, list[str]], lbfgs: dict[str, list[str]], published: pd.DataFrame
) -> pd.DataFrame:
    """Return the tidy table ``minimal``.

    Args:
        minimal: Files of each network with a row for each image.
        lbfgs: The same of the paper's method.
        published: The paper's numbers.
    """
    cells, spreads = {}, {}
    for model, paths in minimal.items():
        both = [[pd.read_parquet(p) for p in own] for own in (paths, lbfgs[model])]
        found, spread = length_cells(model, *both)
        cells, spreads = cells | found, spreads | spread
    paper = published.query("table == 'models' and column == 'distortion'")
    beside = [
        paper.assign(table="minimal", column=f"distortion-{method}")
        for method in METHODS
    ]
    return tidy(cells, pd.concat(beside), "minimal", spreads, KINDS)


if __name__ == "__main__":
    networks, files = snakemake.params.settings["networks"], snakemake.input
    with step_log(snakemake, threads=None):
        minimal, lbfgs = (
            by_model(networks, paths) for paths in (files.minimal, files.lbfgs)
        )
        table = run(minimal, lbfgs, read_published(files.published))
        write_table(table, snakemake.output.minimal, "Minimal perturbations", KINDS)
