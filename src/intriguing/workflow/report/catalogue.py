"""What a run has to show: its tables, figures and claims, and what made each."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from jinja2 import Environment

if TYPE_CHECKING:
    from snakemake.rules import Rule
    from snakemake.workflow import Workflow

SHOWN = {"table": ".csv", "claims": ".json", "figure": ".svg"}
"""Suffix of the file that holds what is shown, by kind."""


@dataclass(frozen=True)
class Result:
    """A table, a figure or a file of claims that exists."""

    kind: str
    """``table``, ``figure`` or ``claims``."""
    stem: Path
    """Its files without the suffix."""
    title: str
    paper: str
    """What the paper calls it, such as ``Table 1``; empty for what goes beyond it."""
    caption: str
    """In Markdown."""
    rule: str
    script: Path
    settings: str
    """What the script takes from the config, as JSON; empty for nothing."""

    @property
    def name(self) -> str:
        """Return the name of its files."""
        return self.stem.name

    @property
    def anchor(self) -> str:
        """Return its anchor in the page."""
        return self.name if self.name == self.kind else f"{self.kind}-{self.name}"


def parsed_workflow(configfiles: Iterable[Path]) -> "Workflow":
    """Return the workflow of the working directory, as Snakemake parses it.

    Args:
        configfiles: Those that extend the default config, as after ``--configfile``.

    Raises:
        WorkflowError: Rules or config have an error.
    """
    from snakemake.api import SnakemakeApi
    from snakemake.settings.types import (
        ConfigSettings,
        OutputSettings,
        Quietness,
        ResourceSettings,
    )

    output = OutputSettings(quiet={Quietness.ALL})
    config = ConfigSettings(configfiles=list(configfiles))
    with SnakemakeApi(output) as api:
        resources, snakefile = ResourceSettings(cores=1), Path("Snakefile").resolve()
        found = api.workflow(resources, config_settings=config, snakefile=snakefile)
        return found._workflow  # Snakemake offers no other way to the rules


def results_of(workflow: "Workflow") -> list[Result]:
    """Return what exists of the run, in the order of the rules."""
    return [one for rule in workflow.rules for one in _made_by(rule)]


def _made_by(rule: "Rule") -> Iterator[Result]:
    for output in rule.output:
        if "report" not in output.flags:
            continue
        marked, shown = Path(str(output)), output.flags["report"]
        kind = shown.labels.get("kind") or next(k for k in SHOWN if k in shown.labels)
        # Wildcards of the output are names of files in its folder.
        for path in sorted(marked.parent.glob(f"*{SHOWN[kind]}")):
            if match := output.match(str(path.with_suffix(marked.suffix))):
                stem, wildcards = path.with_suffix(""), match.groupdict()
                yield _result(rule, kind, stem, shown, wildcards)


def _result(
    rule: "Rule", kind: str, stem: Path, shown: Any, wildcards: Mapping[str, str]
) -> Result:
    settings = _settings(rule, wildcards)
    title = shown.labels.get("result") or shown.labels[kind]
    return Result(
        kind=kind,
        stem=stem,
        title=title.format_map(wildcards),
        paper=shown.labels.get("paper", ""),
        caption=_caption(shown.caption, rule, settings),
        rule=rule.name,
        script=Path(str(rule.script)).relative_to(rule.workflow.basedir),
        settings=json.dumps(settings, indent=1, default=str) if settings else "",
    )


def _settings(rule: "Rule", wildcards: Mapping[str, str]) -> Any:
    """Return what a rule's step takes from the config, for some wildcards."""
    settings: Any | Callable = dict(rule.params.items()).get("settings")
    return settings(SimpleNamespace(**wildcards)) if callable(settings) else settings


def _caption(source: Any, rule: "Rule", settings: Any) -> str:
    """Return a caption, in which Snakemake fills in settings and inputs too."""
    text = Path(source.get_path_or_uri(secret_free=True)).read_text(encoding="utf-8")
    job = SimpleNamespace(params=SimpleNamespace(settings=settings), input=rule.input)
    return Environment().from_string(text).render(snakemake=job)
