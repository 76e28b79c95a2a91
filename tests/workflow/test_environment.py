"""pyproject.toml, environment.yml, requirements.lock and Makefile agree."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUN = [*PROJECT["dependencies"], *EXTRAS["workflow"]]
LOCKED = [*RUN, *EXTRAS["dev"]]
LINES = (ROOT / "requirements.lock").read_text().splitlines()
PINS = [Requirement(line) for line in LINES if not line.startswith("#")]
PINNED = {canonicalize_name(pin.name): pin for pin in PINS}
# Pinned by torch itself, on the platforms that have them.
TORCH_BRINGS = ("nvidia-", "cuda-", "triton")


def bounds(requirements: list[str]) -> dict[str, SpecifierSet]:
    parsed = [Requirement(text) for text in requirements]
    return {canonicalize_name(one.name): one.specifier for one in parsed}


def version(pin: Requirement) -> Version:
    (one,) = pin.specifier
    return Version(one.version)


def lowest(text: str) -> Version:
    (one,) = [one for one in Requirement(text).specifier if one.operator == ">="]
    return Version(one.version)


def test_conda_asks_for_what_the_package_asks_for():
    plain = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    (by_pip,) = [entry["pip"] for entry in plain if isinstance(entry, dict)]
    assert bounds(by_pip) == bounds(RUN)
    assert f"python{PROJECT['requires-python']}" in plain


def test_the_lock_holds_every_dependency_exactly_and_within_its_bounds():
    plain = re.compile(r"[\w.-]+==\d[\w.]*")
    assert [str(pin) for pin in PINS if not plain.fullmatch(str(pin))] == []
    assert len(PINNED) == len(PINS)
    for name, specifier in bounds(LOCKED).items():
        assert specifier.contains(version(PINNED[name])), name
    assert not bounds(EXTRAS["crosscheck"]).keys() & PINNED.keys()
    assert not [name for name in PINNED if name.startswith(TORCH_BRINGS)]


def test_the_lock_is_complete():
    locked = {pin.name: str(version(pin)) for pin in PINS}
    if {name: installed(name) for name in locked} != locked:
        pytest.skip("the environment is not the one of requirements.lock")
    missing = {name for pin in PINS for name in needed(pin)} - PINNED.keys()
    assert not [name for name in missing if not name.startswith(TORCH_BRINGS)]


def installed(name: str) -> str | None:
    try:
        return metadata.version(name).partition("+")[0]  # less torch's "+cpu"
    except metadata.PackageNotFoundError:
        return None


def needed(pin: Requirement) -> list[str]:
    """Return the dependencies of an installed package here, without its extras."""
    asked = [Requirement(text) for text in metadata.requires(pin.name) or ()]
    here = [
        one for one in asked if not one.marker or one.marker.evaluate({"extra": ""})
    ]
    return [canonicalize_name(one.name) for one in here]


@pytest.mark.parametrize("which", ["lock", "lowest"])
def test_torch_and_torchvision_were_released_together(which):
    """Since torch 2.0, torchvision 0.n belongs to torch 2.(n - 15)."""
    pair = {
        "lock": [version(PINNED[name]) for name in ("torch", "torchvision")],
        "lowest": [lowest(t) for t in PROJECT["dependencies"] if t.startswith("torch")],
    }
    torch, torchvision = pair[which]
    assert (torch.major, torchvision.major) == (2, 0)
    assert torchvision.minor == torch.minor + 15


# The Makefile, in a folder of its own


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder with the Makefile and a lock of one package that nobody has."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements.lock").write_text("no-such-package==0.0.0\n")
    return tmp_path


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Not as a part of the `make` that may run these tests, and without the network.
    found = {key: value for key, value in os.environ.items() if "MAKE" not in key}
    found |= {"PIP_NO_INDEX": "1", "PYTHONPATH": "/nowhere"}
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=folder, env=found, capture_output=True, text=True
    )


def test_make_alone_lists_every_command(folder):
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    (phony,) = [line for line in makefile.splitlines() if line.startswith(".PHONY:")]
    targets = phony.partition("$")[0].split()[1:]
    listed = [line.split()[1] for line in make(folder).stdout.splitlines()]
    assert sorted(listed) == sorted(targets)


OLD_PYTHON = f"""#!/bin/sh
exec {sys.executable} -c '
import sys
sys.version_info = (3, 10, 9)
exec(sys.argv[1])
' "$2"
"""


@pytest.mark.parametrize("python", ["/bin/false", "no-such-python", "./python3.10"])
@pytest.mark.fault("Python is too old, or lacks `venv`", "everything; nothing is made")
def test_an_unfit_python_is_refused_in_one_line(folder, python, seen):
    (folder / "python3.10").write_text(OLD_PYTHON)
    (folder / "python3.10").chmod(0o755)
    done = make(folder, "environment", f"PYTHON={python}")
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert len(said) == 1
    assert "Python 3.11" in said[0] and python in said[0]
    seen(said[0], f"make PYTHON={python}")
    assert not (folder / ".venv").exists()


def finished_environment(folder: Path) -> Path:
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to("/bin/true")
    return shutil.copy(folder / "requirements.lock", folder / ".venv/requirements.lock")


def test_a_finished_environment_is_left_alone_but_not_that_of_another_lock(folder):
    stamp = finished_environment(folder)
    later = stamp.stat().st_mtime + 60
    os.utime(folder / "requirements.lock", (later, later))
    done = make(folder, "environment", "PYTHON=/bin/false")
    assert done.returncode == 0, done.stderr
    stamp.write_text("another==1\n")
    assert make(folder, "environment", "PYTHON=/bin/false").returncode != 0


@pytest.mark.slow
@pytest.mark.fault(
    "An installation was cut short", "all else; the next `make` installs anew"
)
def test_a_half_installed_environment_is_not_taken_for_finished(folder, seen):
    for _ in range(2):
        done = make(folder, "environment")
        assert "no-such-package" in done.stderr
        seen(done.stderr)
        assert (folder / ".venv/bin/python").exists()


def test_clean_keeps_the_data_and_the_environment(folder):
    kept, gone = ["data/raw/mnist/x", ".venv/x"], ["results/paper/x", ".snakemake/x"]
    for name in [*kept, *gone, "src/x", "scripts/x", "tests/__pycache__/x"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    assert "results/" in make(folder, "clean").stdout
    assert [name for name in [*kept, *gone] if (folder / name).exists()] == kept
    assert not (folder / "tests/__pycache__").exists()
