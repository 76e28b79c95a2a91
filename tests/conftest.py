"""Fixtures of several test files, and settings of all."""

import re
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

ROOT = Path(__file__).resolve().parents[1]


def shape_typed_modules() -> list[str]:
    """Return the numerical modules, whose annotated shapes are checked under test.

    Packages are left out, because the name of one stands for all modules in it, and
    compiled modules too, because numba takes no wrapped functions.
    """
    library = ROOT / "src/intriguing"
    paths = [
        path.relative_to(library.parent)
        for path in sorted(library.rglob("*.py"))
        if not re.search("numba|attack.compilation", path.read_text())
    ]
    return [
        ".".join(path.with_suffix("").parts)
        for path in paths
        if "workflow" not in path.parts and path.stem != "__init__"
    ]


# Before anything imports the package. A whole number will do for a float.
CHECKER = "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))"
install_import_hook(shape_typed_modules(), CHECKER)

from intriguing.workflow.fetch import (  # noqa: E402
    fetch_mnist,
    mnist_sources,
    read_checksums,
)

# Fixtures that take minutes: runs of the whole workflow and of a part of it.
LONGEST = ("smoke", "whole")

# The same examples in every run, and no deadline: a busy machine is no failure.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a run or a file in one process, the longest first."""
    groups = {item: _group(item) for item in items}
    for item, group in groups.items():
        item.add_marker(pytest.mark.xdist_group(group))
    # Stable, so that tests of a group keep their order.
    items.sort(key=lambda item: groups[item] not in LONGEST)


def _group(item: pytest.Item) -> str:
    fixtures = getattr(item, "fixturenames", [])
    return next((name for name in LONGEST if name in fixtures), item.path.name)


def pytest_collectstart() -> None:
    torch.manual_seed(0)  # layers made while a test file is imported


def pytest_runtest_setup(item: pytest.Item) -> None:
    torch.manual_seed(0)
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session")
def mnist_raw() -> Path:
    """Folder of the real MNIST files, from whichever source has them."""
    raw = ROOT / "data/raw/mnist"
    fetch_mnist(raw, read_checksums(ROOT / "data/checksums.tsv"), mnist_sources())
    return raw
