"""Step: the shortest perturbations beside the paper's, and their transfer."""

import pandas as pd
from table_cross_model import run as table_2

from intriguing.shortest import KINDS, length_cells, paired_answers, transfer_cells
from intriguing.tables import tidy
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import FORMS, read_published, write_table

Networks = list[tuple[str, int]]


def run(
    networks: Networks,
    among: list[str],
    records: dict[str, list[str]],
    answers: dict[str, pd.DataFrame],
    published: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Return the tidy tables ``minimal`` and ``minimal-transfer``.

    Args:
        networks: Name and seed of each network, in the order of the records.
        among: Networks between which transfer by the two is compared.
        records: Files with a row for each image, of ``minimal`` and of ``lbfgs``.
        answers: Every network's answers to the images of both.
        published: The paper's numbers.
    """
    names = list(dict.fromkeys(name for name, _ in networks))
    cells, spreads = {}, {}
    kept = {a: every[every["column"].isin(among)] for a, every in answers.items()}
    changes = paired_answers(kept["minimal"], kept["lbfgs"])
    for model in names:
        own = [i for i, (name, _) in enumerate(networks) if name == model]
        read = {a: [pd.read_parquet(records[a][i]) for i in own] for a in records}
        found, spread = length_cells(model, read["minimal"], read["lbfgs"])
        cells, spreads = cells | found, spreads | spread
    transfer = transfer_cells(changes, among)
    # Row by row, as the columns of a table come in the order of its cells.
    cells = {c: i for m in names for c, i in (cells | transfer).items() if c[0] == m}
    paper = published[published["table"].eq("models")]
    paper = paper[paper["column"].eq("distortion")]
    beside = [paper.assign(table="minimal", column=f"distortion-{a}") for a in records]
    first = tidy(cells, pd.concat(beside), "minimal", spreads, KINDS)
    return {"table": first, "transfer": table_2(answers["minimal"], names, published)}


if __name__ == "__main__":
    files, attacks = snakemake.input, ("lbfgs", "minimal")
    networks = [tuple(network) for network in snakemake.params.settings["networks"]]
    with step_log(snakemake, threads=None):
        records = {attack: files[f"{attack}_records"] for attack in attacks}
        answers = {a: pd.read_parquet(files[f"{a}_answers"]) for a in attacks}
        among = snakemake.params.settings["transfer"]
        found = run(networks, among, records, answers, read_published(files.published))
        titles = {"table": "Shortest perturbations", "transfer": "Their transfer"}
        for name, title in titles.items():
            outputs = {kind: snakemake.output[f"{name}_{kind}"] for kind in FORMS}
            write_table(found[name], outputs, title, KINDS)
