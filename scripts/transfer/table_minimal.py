"""Step: the shortest perturbations beside the paper's, and their transfer."""

from pathlib import Path

import pandas as pd
from table_cross_model import run as table_2

from intriguing.attack import minimal_norm
from intriguing.stats.agreement import Claim, to_json
from intriguing.tables.html import claims_page
from intriguing.tables.tidy import tidy
from intriguing.transfer import minimal_norm as transfer_of_minimal
from intriguing.workflow.files import write_text
from intriguing.workflow.step import step_log
from intriguing.workflow.tabling import FORMS, read_published, write_table

Networks = list[tuple[str, int]]


def run(
    networks: Networks,
    among: list[str],
    records: dict[str, list[str]],
    answers: dict[str, pd.DataFrame],
    published: pd.DataFrame,
) -> tuple[dict[str, pd.DataFrame], Claim]:
    """Return the tidy tables ``minimal`` and ``minimal-transfer``, and the claim.

    Args:
        networks: Name and seed of each network, in the order of the records.
        among: Networks between which transfer by the two is compared.
        records: Files with a row for each image, of ``minimal`` and of ``lbfgs``.
        answers: Every network's answers to the images of both.
        published: The paper's numbers.
    """
    names = list(dict.fromkeys(name for name, _ in networks))
    cells = {}
    kept = {a: every[every["column"].isin(among)] for a, every in answers.items()}
    changes = transfer_of_minimal.paired_hits(kept["minimal"], kept["lbfgs"])
    for model in names:
        own = [i for i, (name, _) in enumerate(networks) if name == model]
        read = {a: [pd.read_parquet(records[a][i]) for i in own] for a in records}
        cells |= minimal_norm.length_cells(model, read["minimal"], read["lbfgs"])
    transfer = transfer_of_minimal.transfer_cells(changes, among)
    # Row by row, as the columns of a table come in the order of its cells.
    cells = {c: i for m in names for c, i in (cells | transfer).items() if c[0] == m}
    paper = published[published["table"].eq("models")]
    paper = paper[paper["column"].eq("distortion")]
    beside = [paper.assign(table="minimal", column=f"distortion-{a}") for a in records]
    first = tidy(cells, pd.concat(beside), "minimal", minimal_norm.KINDS)
    second = table_2(answers["minimal"], names, published)
    claim = transfer_of_minimal.minimal_transfers_less(changes)
    return {"table": first, "transfer": second}, claim


if __name__ == "__main__":
    files, attacks = snakemake.input, ("lbfgs", "minimal")
    written = snakemake.output
    networks = [tuple(network) for network in snakemake.params.settings["networks"]]
    with step_log(snakemake, threads=None):
        records = {attack: files[f"{attack}_records"] for attack in attacks}
        answers = {a: pd.read_parquet(files[f"{a}_answers"]) for a in attacks}
        among = snakemake.params.settings["transfer"]
        published = read_published(files.published)
        found, claim = run(networks, among, records, answers, published)
        titles = {"table": "Shortest perturbations", "transfer": "Their transfer"}
        for name, title in titles.items():
            outputs = {kind: written[f"{name}_{kind}"] for kind in FORMS}
            write_table(found[name], outputs, title, minimal_norm.KINDS)
        write_text(Path(written.claims), to_json([claim]))
        write_text(Path(written.claims_html), claims_page([claim]))
