"""The numbers, graphs and figures of README and docs, from the files of the runs.

``python -m intriguing.workflow.readme`` brings them up to date.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import networkx as nx

from intriguing.workflow.files import replacing, write_text
from intriguing.workflow.markdown import cell_of, markdown_table, refreshed, with_cells
from intriguing.workflow.printed import printed_numbers, read_reasons, reasons_table
from intriguing.workflow.sentences import (
    MISSING,
    SUMMARIES,
    equivalence_rule,
    readings_answer,
    smoothness_design,
    units_controls,
)

RESULTS, NATURAL = Path("results/paper"), Path("results/natural")
PAGES = ("methods", "minimal", "adversarial-training", "natural")
PAGES += ("architecture", "reproducing", "answers", "smoothness", "units", "sae")
PAGES += ("bounds", "differences")
DOCUMENTS = ("README.md", *(f"docs/{page}.md" for page in PAGES))
PUBLISHED = {
    "Table 1: networks": "results/paper/tables/models",
    "Table 2: transfer between networks": "results/paper/tables/cross-model",
    "Table 3: training on half of the images": "results/paper/tables/training-sets",
    "Table 4: transfer across training sets": "results/paper/tables/cross-training-set",
    "Table 5: upper bounds of AlexNet's layers": "results/natural/tables/spectral",
    "Figure 5: mean distortion of photographs": "results/natural/tables/natural",
}
ALSO_PRINTED = {
    "Section 4.2: adversarial training": "results/paper/tables/adversarial-training",
}
"""Numbers in the paper's text, which the counts of its tables leave out."""
REASONS = Path("docs/reasons.tsv")
VERDICTS = ("agrees", "differs", "undecided")
PICTURES = (
    "examples cross-model distortions transfer-decomposition peers box-constraint "
    "mean-value readings smoothness-shares smoothness-curves natural-basis sae "
    "certified waterfall depth penalties superposition compact-proofs "
    "two-units"
)


def table(name: str, target: str, results: Path = RESULTS) -> str:
    """Return a table of a run, or the command that makes it."""
    path = results / "tables" / f"{name}.md"
    if not path.is_file():
        return MISSING.format(path=path, target=target)
    return path.read_text(encoding="utf-8")


def cell(name: str, row: str, column: str) -> str:
    """Return the text of one cell of a table of the paper run."""
    path = RESULTS / "tables" / f"{name}.md"
    if not path.is_file():
        return "(not computed yet)"
    return cell_of(path.read_text(encoding="utf-8"), row, column)


def claims(file: str) -> str:
    """Return the claims of one file and their verdicts; no rows without the file."""
    path = RESULTS / file
    found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    numbers = "{measured:.4g} [{low:.4g}, {high:.4g}]"
    rows = ((c["statement"], numbers.format(**c), c["verdict"] or "--") for c in found)
    return markdown_table(("claim", "measured [95 % interval]", "verdict"), rows)


def verdicts() -> str:
    """Return how often each verdict occurs in each of the paper's tables."""
    rows = []
    for title, path in PUBLISHED.items():
        if Path(f"{path}.csv").is_file():
            counts = printed_numbers(Path(f"{path}.csv"))["verdict"].value_counts()
            counted = (counts.get(verdict, 0) for verdict in VERDICTS)
            rows.append((f"[{title}]({path}.md)", *counted))
    return markdown_table(("published numbers", *VERDICTS), rows, "---:")


def reasons() -> str:
    """Return the numbers that differ from the paper's, each with the reason."""
    titles = (PUBLISHED | ALSO_PRINTED).items()
    tables = {title.partition(":")[0]: Path(f"{path}.csv") for title, path in titles}
    return reasons_table(tables, read_reasons(REASONS))


def provenance(results: Path = RESULTS) -> dict:
    """Return the provenance of a run, with the cost of each rule."""
    return json.loads((results / "provenance.json").read_text(encoding="utf-8"))


def needs(results: Path = RESULTS) -> str:
    """Return time, memory and disk of a run; rules of other targets do not count."""
    facts = provenance(results)
    cores, everything = facts["cores"], rules_of("everything")
    rules = {name: facts["rules"][name] for name in everything & facts["rules"].keys()}
    minutes = {name: rule["seconds"] / 60 / cores for name, rule in rules.items()}
    paper = sum(minutes[name] for name in rules_of("all") & rules.keys())
    memory = max(rule["max_rss"] or 0 for rule in rules.values()) / 1000
    disk = sum(p.stat().st_size for p in results.rglob("*") if p.is_file()) / 1e9
    # Rules that have not run have no time.
    all_in_all = f"{sum(minutes.values()):.0f} for `make everything`, "
    time = (
        f"{paper:.0f} minutes on {cores} cores ({facts['processor']}, no GPU) for "
        f"`make paper`, {all_in_all if everything <= rules.keys() else ''}once the "
        "environment is there, which takes a few more"
    )
    space = (
        f"{disk:.1f} GB of results, 0.1 GB of data, and 2 to 7 GB of environment, "
        "mostly torch: the larger with CUDA"
    )
    memory = f"{memory:.1f} GB for each core that is used"
    rows = [("time", time), ("memory", memory), ("disk", space)]
    return markdown_table(("", ""), rows)


def cost(results: Path = RESULTS) -> str:
    """Return jobs, time and memory of each rule of a run."""
    rows = []
    for name, rule in provenance(results)["rules"].items():
        memory = f"{rule['max_rss']:.0f}" if rule["max_rss"] else "--"
        rows.append((name, rule["jobs"], f"{rule['seconds'] / 60:.1f}", memory))
    header = ("rule", "jobs", "minutes, all jobs", "memory of a job, MB")
    return markdown_table(header, rows, "---:")


def graph() -> str:
    """Return the graph of the rules as a Mermaid diagram, transitively reduced."""
    arrows = sorted(nx.transitive_reduction(rule_graph("all")).edges)
    lines = [f"\t{source} --> {target}" for source, target in arrows]
    return "```mermaid\nflowchart LR\n" + "\n".join(lines) + "\n```\n"


def rules_of(target: str) -> set[str]:
    """Return the rules that a target needs."""
    return set(rule_graph(target))


def rule_graph(target: str) -> nx.DiGraph:
    """Return the rules of a target, with arrows to those that take their files."""
    command = [sys.executable, "-m", "snakemake", target, "-n"]
    command += ["--rulegraph", "mermaid-js"]
    drawn = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", drawn))
    arrows = re.findall(r"(id\d+) --> (id\d+)", drawn)
    rules = nx.DiGraph([(names[source], names[end]) for source, end in arrows])
    rules.remove_edges_from(list(nx.selfloop_edges(rules)))
    rules.remove_node(target)
    return rules


TABLES = {
    "make paper": "models differences verdict-counts choices readings amplification "
    "cross-model-coarse transfer-decomposition controls spectral",
    "make everything": "equal-length adversarial-training smoothness units sae "
    "sae-settings sae-perturbations superposition bounds certified depth "
    "compact-proofs heuristics penalties",
    "make peers": "peers peers-requirements peers-pooling",
    "snakemake --cores 2 tuning": "tuning",
    "snakemake --cores 1 verification": "benchmark-sdp-crown benchmark-glipsdp",
}
"""Tables of the paper run, by what makes them."""
BLOCKS: dict[str, Callable[[], str]] = {
    "verdicts": verdicts,
    "reasons": reasons,
    **{
        name: partial(table, name, made)
        for made, names in TABLES.items()
        for name in names.split()
    },
    "natural": partial(table, "natural", "make natural", NATURAL),
    "natural-transfer": partial(table, "natural-transfer", "make natural", NATURAL),
    "natural-spectral": partial(table, "spectral", "make natural", NATURAL),
    "claims": partial(claims, "claims.json"),
    "claims-minimal": partial(claims, "claims/minimal.json"),
    "claims-beyond": partial(claims, "claims/transfer-decomposition.json"),
    "claims-equal-length": partial(claims, "claims/equal-length.json"),
    "claims-adversarial-training": partial(claims, "claims/adversarial-training.json"),
    "claims-units": partial(claims, "claims/units.json"),
    **{name: partial(answer, RESULTS) for name, answer in SUMMARIES.items()},
    "natural-answer": partial(SUMMARIES["natural-answer"], NATURAL),
    "units-controls": partial(units_controls, RESULTS),
    "equivalence-rule": equivalence_rule,
    "readings-answer": partial(readings_answer, RESULTS),
    "smoothness-design": smoothness_design,
    "needs": needs,
    "cost": cost,
    "natural-cost": partial(cost, NATURAL),
    "graph": graph,
}
MEASURED = {"needs", "cost", "natural-cost", "graph"}
"""Blocks that depend on more than the files in git."""


if __name__ == "__main__":
    if not (NATURAL / "provenance.json").is_file():
        BLOCKS.pop("natural-cost")  # keep what another machine measured
    for document in map(Path, DOCUMENTS):
        text = refreshed(document.read_text(encoding="utf-8"), BLOCKS)
        write_text(document, with_cells(text, cell))
    drawn = [RESULTS / "figures" / f"{picture}.png" for picture in PICTURES.split()]
    for picture in filter(Path.is_file, drawn):  # some belong to other targets
        with replacing(Path("docs/figures") / picture.name) as temporary:
            shutil.copyfile(picture, temporary)
