"""What surrounds a step: log, terminal, seeds, threads, exit status."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from content_reruns import dynamic_imports
from intriguing.workflow import step
from intriguing.workflow.step import progress

STEP = """
import logging, sys, warnings
from types import SimpleNamespace
from intriguing.errors import InputError
from intriguing.workflow.step import progress, step_log

job = SimpleNamespace(log=[{log!r}], rule="attack", wildcards={{"seed": "3"}})
with step_log(job, 3, {threads}) as log:
{body}
"""


@pytest.fixture
def run(tmp_path):
    """Run the body of a step in a process of its own, as Snakemake does."""

    def in_process(body, threads=None, log="logs/attack.log"):
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        code = STEP.format(log=log, threads=threads, body=lines)
        environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": ""}
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )

    return in_process


@pytest.fixture
def log(tmp_path):
    return tmp_path / "logs/attack.log"


def test_a_step_that_goes_well_is_silent_and_leaves_a_log(run, log):
    done = run("log.info('halfway')\nlist(progress(range(99), 'numbers'))")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = log.read_text()
    for part in ("rule attack", "'seed': '3'", "python 3.", "numpy ", "seed 3"):
        assert part in text
    assert text.rstrip().endswith(" s")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("InputError('data.mirror: no such folder; set another')", "data.mirror: no "),
        ("OSError(28, 'No space left on device', 'x.npy')", "[Errno 28] No space left"),
        ("ZeroDivisionError('two\\nlines')", "ZeroDivisionError: two lines"),
    ],
)
def test_an_error_is_one_line_on_the_terminal_and_a_traceback_in_the_log(
    run, log, error, line
):
    done = run(f"raise {error}")
    assert done.returncode == 1
    assert done.stderr.startswith(f"attack: {line}")
    assert done.stderr.count("\n") == 1
    assert "logs/attack.log" in done.stderr
    assert "Traceback" in log.read_text()
    assert "finished" not in log.read_text()


def test_a_warning_is_on_the_terminal_but_not_what_libraries_warn_about(run, log):
    run("log.info('the last run')")
    body = "warnings.warn('old name')\n"
    done = run(body + "logging.getLogger('intriguing.fetch').warning('file refused')")
    assert (done.returncode, done.stderr) == (0, "attack: file refused\n")
    text = log.read_text()
    assert "file refused" in text and "old name" in text and "last run" not in text


@pytest.mark.fault("Ctrl-C in a step", "every finished step")
def test_an_interrupted_step_leaves_no_traceback_on_the_terminal(run, seen):
    done = run("raise KeyboardInterrupt")
    seen(done.stderr)
    assert done.returncode == 130
    assert done.stderr == ""


def test_an_attack_in_an_interrupted_step_does_not_return_what_it_has(run):
    body = """
import os, signal
from intriguing.attack.watch import watched
with watched("lbfgs", 8, None):
    os.kill(os.getpid(), signal.SIGINT)
print("written")
"""
    done = run(body)
    assert (done.returncode, done.stdout) == (130, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full device")
@pytest.mark.fault("The disk of the logs is full", "the step's own message")
def test_a_full_disk_does_not_hide_the_error_behind_that_of_the_log(run, seen):
    done = run("raise InputError('the real reason')", log="/dev/full")
    seen(done.stderr)
    assert done.returncode == 1
    assert done.stderr == "attack: the real reason (log: /dev/full)\n"


MOUNT = "mount -t tmpfs -o size=64k none disk"
PRIVATELY = "/usr/bin/unshare", "--user", "--map-root-user", "--mount"
REWRITE = """
from intriguing.workflow.files import write_text
write_text("disk/a.csv", "x" * 10**6)
"""


@pytest.fixture
def run_on_disk(tmp_path):
    """Run a step that replaces a file on a small disk of its own.

    The result has the step's message as standard error; its standard output are the
    names on the disk and the file's content after the step.
    """

    def in_process(spoil):
        (tmp_path / "disk").mkdir()
        body = "".join(f"    {line}\n" for line in REWRITE.splitlines())
        code = STEP.format(log="attack.log", threads=None, body=body)
        (tmp_path / "step.py").write_text(code)
        script = f"{MOUNT} && printf whole > disk/a.csv && {spoil} || exit 99\n"
        script += f"'{sys.executable}' step.py; ls -A disk; cat disk/a.csv"
        done = subprocess.run(
            [*PRIVATELY, "/bin/sh", "-c", script],
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin:/usr/sbin"},
            capture_output=True,
            text=True,
        )
        if done.returncode == 99 or "unshare" in done.stderr:
            pytest.skip(f"no file system can be mounted here: {done.stderr}")
        return done

    return in_process


@pytest.mark.skipif(not Path(PRIVATELY[0]).exists(), reason="needs unshare")
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("true", "No space left on device"),
        ("mount -o remount,ro disk", "Read-only file system"),
    ],
    ids=["the disk is full", "the folder is read-only"],
)
@pytest.mark.fault(
    "A result cannot be written", "the last result; no half-written file stays"
)
def test_a_step_whose_disk_takes_nothing_keeps_the_last_result(
    run_on_disk, spoil, reason, request, seen
):
    done = run_on_disk(spoil)
    assert done.stderr.startswith("attack: ") and reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == "a.csv\nwhole"
    seen(done.stderr, request.node.callspec.id)


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.fault("A step asks for more memory than there is", "all other steps")
def test_a_step_without_memory_says_so_in_one_line(run, library, seen):
    done = run(f"import {library}\n{library}.ones(10**14)")
    assert done.returncode == 1
    assert "allocate" in done.stderr and done.stderr.count("\n") == 1
    seen(done.stderr, library)


def test_a_log_that_cannot_be_written_is_one_line(run):
    done = run("pass", log="/dev/null/attack.log")
    assert done.returncode == 1
    assert done.stderr.startswith("attack: the log cannot be written")
    assert done.stderr.count("\n") == 1


def test_torch_gets_the_threads_of_the_config_and_deterministic_algorithms(run, log):
    body = "import torch; print(torch.get_num_threads())\n"
    body += "print(torch.are_deterministic_algorithms_enabled())\n"
    # The compiler takes a second to load, and no step compiles.
    body += "import sys; print('torch._dynamo' in sys.modules)"
    assert run(body, threads=2).stdout == "2\nTrue\nFalse\n"
    assert "torch 2." in log.read_text()
    assert "threads 2" in log.read_text()
    # A step without threads does not load torch.
    assert run("print('torch' in sys.modules)").stdout == "False\n"


def test_the_seed_fixes_every_source_of_chance(run):
    body = "import random, numpy, torch\n"
    body += "print(random.random(), numpy.random.rand(), float(torch.rand(())))"
    first, second = run(body, threads=1), run(body, threads=1)
    assert first.stdout == second.stdout
    assert len(set(first.stdout.split())) == 3


def test_progress_passes_everything_on():
    assert list(progress(iter("abc"), "letters")) == ["a", "b", "c"]


def test_the_digest_sees_all_that_a_step_loads():
    assert dynamic_imports(Path(step.__file__), [ROOT / "src"]) == []


SNAKEFILE = """
rule attack:
    output: "a.txt"
    log: "attack.log"
    script: "attack.py"
"""
SCRIPT = """
from intriguing.errors import InputError
from intriguing.workflow.step import step_log
with step_log(snakemake, threads=None):
    raise {error}
"""


@pytest.mark.parametrize("error", ["InputError('a.tsv: lacks a row')", "KeyError('x')"])
def test_snakemake_shows_the_line_and_no_traceback(tmp_path, monkeypatch, error):
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    (tmp_path / "attack.py").write_text(SCRIPT.format(error=error))
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    shown = done.stdout + done.stderr
    assert "Traceback" not in shown
    assert [line for line in shown.splitlines() if line.startswith("attack: ")]
    assert "attack.log" in shown
    assert "Traceback" in (tmp_path / "attack.log").read_text()
