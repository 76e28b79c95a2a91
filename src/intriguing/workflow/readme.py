"""Write the README's numbers, graph and figures from the files of the paper run."""

import csv
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from intriguing.workflow.files import replacing, write_text

RESULTS, NATURAL = Path("results/paper"), Path("results/natural")
PAGES = ("methods", "minimal", "adversarial-training", "natural")
PAGES += ("architecture", "reproducing")
DOCUMENTS = ("README.md", *(f"docs/{page}.md" for page in PAGES))
PUBLISHED = {
    "Table 1: networks": "results/paper/tables/models",
    "Table 2: transfer between networks": "results/paper/tables/cross-model",
    "Table 3: training on half of the images": "results/paper/tables/training-sets",
    "Table 4: transfer across training sets": "results/paper/tables/cross-training-set",
    "Table 5: upper bounds of AlexNet's layers": "results/natural/tables/spectral",
    "Figure 5: mean distortion of photographs": "results/natural/tables/natural",
}
VERDICTS = ("agrees", "differs", "undecided")
PICTURES = ("examples", "cross-model", "distortions", "transfer-decomposition", "peers")


def table(name: str, results: Path = RESULTS, target: str = "") -> str:
    """Return a table of a run, or say that the run has not been made."""
    path = results / "tables" / f"{name}.md"
    if not path.is_file():
        maker = target or f"make {results.name}"
        return f"`{path}` is not there yet; `{maker}` makes it.\n"
    return path.read_text(encoding="utf-8")


def claims(*files: str) -> str:
    """Return the claims and their verdicts as a table; none of runs not made."""
    lines = ["| claim | measured [95 % interval] | verdict |", "| --- | --- | --- |"]
    paths = [path for file in files if (path := RESULTS / file).is_file()]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    for claim in (claim for text in texts for claim in json.loads(text)):
        numbers = "{measured:.3g} [{low:.3g}, {high:.3g}]".format(**claim)
        lines.append(f"| {claim['statement']} | {numbers} | {claim['verdict']} |")
    return "\n".join(lines) + "\n"


def verdicts() -> str:
    """Return how often each verdict occurs in each of the paper's tables."""
    lines = ["| published numbers | agrees | differs | undecided |"]
    lines.append("| --- | ---: | ---: | ---: |")
    made = {t: p for t, p in PUBLISHED.items() if Path(f"{p}.csv").is_file()}
    for title, path in made.items():
        with Path(f"{path}.csv").open(encoding="utf-8", newline="") as file:
            # Sizes of layers, which have no interval, agree by construction.
            found = [row["verdict"] for row in csv.DictReader(file) if row["low"]]
        counts = " | ".join(str(found.count(verdict)) for verdict in VERDICTS)
        lines.append(f"| [{title}]({path}.md) | {counts} |")
    return "\n".join(lines) + "\n"


def provenance(results: Path = RESULTS) -> dict:
    """Return where the results come from, and what each rule took."""
    return json.loads((results / "provenance.json").read_text(encoding="utf-8"))


def needs(results: Path = RESULTS) -> str:
    """Return time, memory and disk of a run; rules of other targets do not count."""
    facts = provenance(results)
    cores, everything = facts["cores"], rules_of("everything")
    rules = {name: facts["rules"][name] for name in everything & facts["rules"].keys()}
    minutes = {name: rule["seconds"] / 60 / cores for name, rule in rules.items()}
    paper = sum(minutes[name] for name in rules_of("all") & rules.keys())
    memory = max(rule["max_rss"] or 0 for rule in rules.values()) / 1000
    files = [path for path in results.rglob("*") if path.is_file()]
    disk = sum(path.stat().st_size for path in files) / 1e9
    where = f"{facts['processor']}, no GPU"
    time = f"{paper:.0f} minutes on {cores} cores ({where}) for `make paper`, "
    if everything <= rules.keys():  # of rules that have not run nothing is known
        time += f"{sum(minutes.values()):.0f} for `make everything`, "
    rows = {
        "time": f"{time}once the environment is there, which takes a few more",
        "memory": f"{memory:.1f} GB for each core that is used",
        "disk": f"{disk:.1f} GB of results, 0.1 GB of data, and 2 to 7 GB of "
        "environment, mostly torch: the larger with CUDA",
    }
    lines = ["| | |", "| --- | --- |"]
    lines += [f"| {name} | {text} |" for name, text in rows.items()]
    return "\n".join(lines) + "\n"


def cost(results: Path = RESULTS) -> str:
    """Return what each rule of a run took."""
    lines = ["| rule | jobs | minutes, all jobs | memory of a job, MB |"]
    lines.append("| --- | ---: | ---: | ---: |")
    for name, rule in provenance(results)["rules"].items():
        memory = f"{rule['max_rss']:.0f}" if rule["max_rss"] else "--"
        minutes = f"{rule['seconds'] / 60:.1f}"
        lines.append(f"| {name} | {rule['jobs']} | {minutes} | {memory} |")
    return "\n".join(lines) + "\n"


def graph() -> str:
    """Return the graph of the rules, as GitHub draws it.

    Left out: arrows that a longer way stands for.
    """
    arrows = sorted(without_shortcuts(rule_graph("all")))
    lines = [f"\t{source} --> {target}" for source, target in arrows]
    return "```mermaid\nflowchart LR\n" + "\n".join(lines) + "\n```\n"


def rules_of(target: str) -> set[str]:
    """Return the rules that a target needs."""
    return set(rule_graph(target))


def rule_graph(target: str) -> dict[str, set[str]]:
    """Return the rules that take the files of each rule, in some target."""
    command = [sys.executable, "-m", "snakemake", target, "-n"]
    command += ["--rulegraph", "mermaid-js"]
    drawn = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = dict(re.findall(r"(id\d+)\[(\w+)\]", drawn))
    arrows = re.findall(r"(id\d+) --> (id\d+)", drawn)
    later: dict[str, set[str]] = {name: set() for name in names.values()}
    for source, end in arrows:
        if names[end] not in {target, names[source]}:
            later[names[source]].add(names[end])
    return {name: after for name, after in later.items() if name != target}


def without_shortcuts(later: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Return the arrows of an acyclic graph without those that a longer way implies.

    Args:
        later: The nodes that follow each node at once.
    """

    def reached(node: str) -> set[str]:
        return later[node].union(*(reached(next_) for next_ in later[node]))

    return {
        (node, next_)
        for node, nexts in later.items()
        for next_ in nexts
        if not any(next_ in reached(other) for other in nexts - {next_})
    }


BLOCKS: dict[str, Callable[[], str]] = {
    "verdicts": verdicts,
    "models": lambda: table("models"),
    "choices": lambda: table("choices"),
    "amplification": lambda: table("amplification"),
    "transfer-decomposition": lambda: table("transfer-decomposition"),
    "adversarial-training": lambda: table(
        "adversarial-training", target="make everything"
    ),
    "tuning": lambda: table("tuning", target="snakemake --cores 2 tuning"),
    "controls": lambda: table("controls"),
    "peers": lambda: table("peers", target="make peers"),
    "peers-requirements": lambda: table("peers-requirements", target="make peers"),
    "spectral": lambda: table("spectral"),
    "natural": lambda: table("natural", NATURAL),
    "natural-transfer": lambda: table("natural-transfer", NATURAL),
    "natural-spectral": lambda: table("spectral", NATURAL),
    "claims": lambda: claims("claims.json"),
    "claims-minimal": lambda: claims("claims/minimal.json"),
    "claims-beyond": lambda: claims("claims/transfer-decomposition.json"),
    "claims-adversarial-training": lambda: claims("claims/adversarial-training.json"),
    "needs": needs,
    "cost": cost,
    "natural-cost": lambda: cost(NATURAL),
    "graph": graph,
}
MEASURED = {"needs", "cost", "natural-cost", "graph"}
"""Blocks that no file in git decides."""


def refresh(text: str, blocks: dict[str, Callable[[], str]]) -> str:
    """Return a text with what lies between its markers written anew."""
    for name, write in blocks.items():
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        if begin in text:
            block = f"{begin}\n\n{write()}\n{end}"
            between = re.compile(f"{begin}.*?{end}", re.DOTALL)
            text = between.sub(lambda _, block=block: block, text)
    return text


if __name__ == "__main__":
    if not (NATURAL / "provenance.json").is_file():
        BLOCKS.pop("natural-cost")  # what another machine measured stays
    for document in map(Path, DOCUMENTS):
        write_text(document, refresh(document.read_text(encoding="utf-8"), BLOCKS))
    drawn = [RESULTS / "figures" / f"{picture}.png" for picture in PICTURES]
    for picture in filter(Path.is_file, drawn):  # some are targets of their own
        with replacing(Path("docs/figures") / picture.name) as temporary:
            shutil.copyfile(picture, temporary)
