"""Scratch copies of the repository, in which the real workflow runs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from conftest import ROOT

RUN = "results/smoke"
SMOKE = ("everything", "--configfile", "config/smoke.yaml")


class Run(NamedTuple):
    """A run of the workflow: its results, and what Snakemake is asked for."""

    results: str
    options: tuple[str, ...]


EVERY_RULE = Run(RUN, SMOKE)
# Variables of the user that must not reach the workflow under test.
FOREIGN = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")
FOREIGN += ("GIT_", "SNAKEMAKE_", "DVC_")
# Copies of the sources need not compile what they have in common.
COMPILED = ROOT / "src/intriguing/attack/__pycache__"
AUTHOR = {"NAME": "A. Tester", "EMAIL": "tester@example.org"}


def environment(folder: Path) -> dict[str, str]:
    """Return the variables of an activated environment, without the user's settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(FOREIGN)}
    commands = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    who = {
        f"GIT_{role}_{k}": v
        for role in ("AUTHOR", "COMMITTER")
        for k, v in AUTHOR.items()
    }
    places = ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE")
    dvc = {f"DVC_{place}_DIR": f"{folder}-dvc" for place in places}
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    own = {"NUMBA_CACHE_DIR": str(COMPILED), "PATH": commands}
    return {**kept, **who, **dvc, **git, **own}


def attempt(folder: Path, *command: object) -> tuple[int, str]:
    """Run a command there; return its status, and standard output before errors."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def call(folder: Path, *command: object) -> str:
    """Run a command that must succeed; return its output."""
    status, said = attempt(folder, *command)
    assert status == 0, f"{command}:\n{said}"
    return said


def fresh_python(*words: object) -> str:
    """Run Python on the library where nothing is imported yet; return its output."""
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def python(*arguments: object) -> tuple[object, ...]:
    return (sys.executable, "-m", *arguments)


def snakemake(folder: Path, *options: object, run: Run = EVERY_RULE) -> str:
    """Call Snakemake with the options of the run."""
    return call(folder, *python("snakemake", *run.options, *options))


def copy_repository(folder: Path, raw: Path) -> Path:
    """Copy and commit what git does not ignore, and link MNIST's raw files."""
    listing = ("git", "-C", ROOT, "ls-files", "-coz", "--exclude-standard")
    names = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():  # not a removed one
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / "data/raw").mkdir(parents=True)
    (folder / "data/raw/mnist").symlink_to(raw)
    call(folder, "git", "init", "--initial-branch", "main")
    commit(folder, "As it is")
    return folder


def commit(folder: Path, message: str) -> str:
    """Commit all changes; return the revision."""
    call(folder, "git", "add", "--all")
    call(folder, "git", "commit", "--quiet", "--message", message)
    return call(folder, "git", "rev-parse", "HEAD").strip()


def finished_run(place: Path, raw: Path, run: Run) -> Path:
    """Run the workflow in a copy of the repository, on two cores.

    Copy and environment lie in a folder whose name has a space and is not ASCII.
    """
    home = place / "some rüns"
    folder = copy_repository(home / Path(run.results).name, raw)
    environment = home / f"{folder.name}-venv"
    environment.symlink_to(sys.prefix)
    python = environment / "bin" / Path(sys.executable).name
    call(folder, python, "-m", "snakemake", *run.options, "--cores", "2")
    return folder


def twin(folder: Path, place: Path) -> Path:
    """Copy a finished run with its records and timestamps."""
    shutil.copytree(folder, place, symlinks=True)
    return place


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that must occur exactly once."""
    text = path.read_text()
    assert text.count(old) == 1, f"{path} has {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new))


class Job(NamedTuple):
    """A job as Snakemake last recorded it."""

    rule: str
    outputs: set[str]
    inputs: set[str]
    pending: bool


def jobs(folder: Path, *options: str, run: Run = EVERY_RULE) -> dict[str, Job]:
    """Return every job of Snakemake's summary by its name, ``rule/wildcards``."""
    shown = snakemake(folder, *options, "--detailed-summary", run=run).splitlines()
    start = next(i for i, line in enumerate(shown) if line.startswith("output_file\t"))
    found: dict[str, Job] = {}
    for line in (line for line in shown[start + 1 :] if line.count("\t") == 7):
        output, _, rule, log, inputs, _, _, plan = line.split("\t")
        name = _name(run.results, rule, output, log)
        job = found.get(name, Job(rule, set(), set(), plan == "update pending"))
        assert job.pending == (plan == "update pending")
        job.outputs.add(output)
        job.inputs.update(inputs.split(","))
        found[name] = job
    return found


def _name(results: str, rule: str, output: str, log: str) -> str:
    """Return a job's name by its log, or by its first output if it never ran."""
    if log != "-":
        return str(Path(log).relative_to(f"{results}/logs").with_suffix(""))
    parts = Path(output).relative_to(results).with_suffix("").parts[1:]
    return "/".join((rule, *parts))


def planned(jobs: Mapping[str, Job]) -> set[str]:
    """Return the names of the jobs that a run would do now."""
    return {name for name, job in jobs.items() if job.pending}


def of_rule(jobs: Mapping[str, Job], *rules: str) -> set[str]:
    """Return the names of the jobs of some rules."""
    return {name for name, job in jobs.items() if job.rule in rules}


def with_dependants(jobs: Mapping[str, Job], first: Iterable[str]) -> set[str]:
    """Return some jobs and all that depend on their outputs."""
    reached, todo = set(), set(first)
    while todo:
        reached |= todo
        made = set().union(*(jobs[name].outputs for name in todo))
        todo = {n for n, job in jobs.items() if job.inputs & made} - reached
    return reached


def contents(folder: Path, *leave_out: str, run: Run = EVERY_RULE) -> dict[str, bytes]:
    """Return the bytes of every file of the run, except some folders or files."""
    top = folder / run.results
    found = {str(p.relative_to(top)): p for p in sorted(top.rglob("*")) if p.is_file()}
    return {
        name: path.read_bytes()
        for name, path in found.items()
        if not name.startswith(leave_out)
    }
