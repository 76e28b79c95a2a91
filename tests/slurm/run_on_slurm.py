"""The workflow on a real SLURM of one node, against the same run without.

The file is not collected with the other tests, because it installs Debian's packages,
removes them again, and takes several minutes. `make slurm-test` runs it, as root on
Debian.
"""

import subprocess
import sys
import tempfile
import time
import tomllib

import pytest
from conftest import ROOT
from scratch import (
    SMOKE,
    contents,
    copy_repository,
    environment,
    jobs,
    planned,
)

CLUSTER = ROOT / "tests/slurm/cluster.sh"
TIMES = ("logs/", "benchmarks/", "provenance.json")
# A cluster without accounting: no account, and squeue for the status.
SITE = (
    *("--slurm-no-account", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "3"),
)
PROFILE = (*SMOKE, "--profile", "profiles/slurm", *SITE)


@pytest.fixture(scope="module")
def cluster():
    """Start a cluster, and take it away again.

    Not below pytest's own folder, which nobody else may enter: munge refuses that.
    """
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder:
        subprocess.run(["sh", CLUSTER, "start", folder], check=True)
        try:
            yield
        finally:
            subprocess.run(["sh", CLUSTER, "stop", folder], check=True)


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Make an environment with the plugin on top of the one that runs the tests.

    In the project's own, the plugin would slow every call of Snakemake on a machine
    whose cluster does not answer.
    """
    place = tmp_path_factory.mktemp("plugin") / "venv"
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    (packages,) = place.glob("lib/python3*/site-packages")
    below = "\n".join(path for path in sys.path if "site-packages" in path)
    (packages / "below.pth").write_text(f"{below}\n")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    slurm = extras["optional-dependencies"]["slurm"]
    pip = (place / "bin/python", "-m", "pip", "install", "--quiet", *slurm)
    subprocess.run(pip, check=True)
    return place / "bin/python"


def start(folder, python, *options):
    """Begin a run of the whole smoke configuration on the cluster.

    Its output goes to a file, because nothing reads a pipe during the run.
    """
    with log(folder).open("w") as file:
        return subprocess.Popen(
            [python, "-m", "snakemake", *PROFILE, *options],
            cwd=folder,
            env=environment(folder),
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def log(folder):
    return folder.with_name("log.txt")


def running_job(run, rule):
    """Return the number of a running job of a rule, once there is one."""
    squeue = ["squeue", "--noheader", "--states", "RUNNING", "--format", "%i %k"]
    while run.poll() is None:
        shown = subprocess.run(squeue, capture_output=True, text=True).stdout
        for line in shown.splitlines():
            number, comment = line.split(maxsplit=1)
            if f"rule_{rule}" in comment:
                return number
        time.sleep(0.2)
    return None


@pytest.fixture(scope="module")
def cancelled(mnist_raw, tmp_path_factory, cluster, python):
    """Cancel an attack while it runs; return the checkout and what Snakemake says."""
    folder = copy_repository(tmp_path_factory.mktemp("slurm") / "tree", mnist_raw)
    run = start(folder, python)
    number = running_job(run, "attack")
    assert number, log(folder).read_text()
    subprocess.run(["scancel", number], check=True)
    return folder, run.wait(), log(folder).read_text()


def test_a_cancelled_job_stops_the_run_and_is_named(cancelled):
    _, status, text = cancelled
    assert status != 0
    assert "Error in rule attack" in text


@pytest.fixture(scope="module")
def resumed(cancelled, cluster, python):
    folder, _, _ = cancelled
    run = start(folder, python)
    assert run.wait() == 0, log(folder).read_text()
    return folder


def test_the_same_command_goes_on_and_gives_the_bytes_of_a_local_run(smoke, resumed):
    here, there = contents(smoke, *TIMES), contents(resumed, *TIMES)
    assert set(here) == set(there)
    assert [name for name in here if here[name] != there[name]] == []


def test_what_the_cluster_made_is_current_everywhere(resumed, cluster, python):
    assert planned(jobs(resumed)) == set()
    run = start(resumed, python, "--dry-run")
    assert run.wait() == 0
    assert "Nothing to be done" in log(resumed).read_text()
