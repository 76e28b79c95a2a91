"""The workflow's rules, as Snakemake itself parses them."""

import os
import shutil
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from conftest import ROOT
from snakemake.api import SnakemakeApi
from snakemake.rules import Rule
from snakemake.settings.types import (
    ConfigSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)


def parsed_rules(
    folder: Path, configfile: str = "config/config.yaml", **config: Any
) -> dict[str, Rule]:
    """Return the rules by name, in a folder to which settings and data are copied."""
    for name in ("config", "data", "tests/stories"):
        ignored = shutil.ignore_patterns("raw")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored, dirs_exist_ok=True)
    with kept_interpreter(), SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        settings = ConfigSettings(config=config, configfiles=[folder / configfile])
        resources = ResourceSettings(cores=1)
        where = {"snakefile": ROOT / "Snakefile", "workdir": folder}
        workflow = api.workflow(resources, settings, **where)._workflow
        return {rule.name: rule for rule in workflow.rules}


@contextmanager
def kept_interpreter():
    """Undo what the Snakefile sets for the process that runs it."""
    path, variables, python = list(sys.path), dict(os.environ), sys.executable
    try:
        yield
    finally:
        sys.path[:], sys.executable = path, python
        os.environ.clear()
        os.environ.update(variables)


def settings_of(rule: Rule, **wildcards: str) -> Mapping[str, Any]:
    """Return what a step takes from the config, for some wildcards."""
    settings = dict(rule.params.items())["settings"]
    if not callable(settings):
        return settings
    return settings(SimpleNamespace(**wildcards))
