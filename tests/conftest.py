"""Fixtures of several test files, and settings of all."""

import fcntl
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

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

from scratch import EVERY_RULE, finished_run  # noqa: E402

from intriguing.workflow.fetch import (  # noqa: E402
    fetch_mnist,
    mnist_sources,
    read_checksums,
)

# Files that share the run of every rule, and the one that runs a part of the workflow.
SMOKE = ("test_workflow.py", "test_variants_run.py", "test_training_sets_run.py")
STORIES = ("test_rerun.py",)

# The same examples in every run, and no deadline: a busy machine is no failure.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes minutes, so that no process of the tests ends long last.

    Then come the tests that start other processes. Tests of a file keep their order.
    """
    items.sort(
        key=lambda item: (
            item.path.name not in (*SMOKE, *STORIES),
            item.path.parent.name != "workflow",
        )
    )


class Scheduling(LoadScopeScheduling):
    """Gives tests of one file, or that share the smoke run, to one process.

    The `loadgroup` of pytest-xdist 3.8 does not group under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        name = Path(nodeid.partition("::")[0]).name
        return "smoke" if name in SMOKE else name


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


def pytest_collectstart() -> None:
    torch.manual_seed(0)  # layers made while a test file is imported


def pytest_runtest_setup(item: pytest.Item) -> None:
    torch.manual_seed(0)
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture
def seen(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Record what a user sees of the test's `fault`, and of which case of several.

    `record_faults.py` writes docs/faults.md from these records.
    """
    marker = request.node.get_closest_marker("fault")
    name, kept = marker.args

    def record(message: str, case: str = "") -> None:
        entry = {"fault": name, "kept": kept, "case": case, "message": message}
        request.node.user_properties.append(("seen", entry))

    return record


@pytest.fixture(scope="session")
def mnist_raw() -> Path:
    """Folder of the real MNIST files, from whichever source has them."""
    raw = ROOT / "data/raw/mnist"
    raw.parent.mkdir(exist_ok=True)
    # Each process of the tests has a session of its own: one fetches, the others wait.
    with (raw.parent / "mnist.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetch_mnist(raw, read_checksums(ROOT / "data/checksums.tsv"), mnist_sources())
    return raw


@pytest.fixture(scope="session")
def smoke(mnist_raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which every rule has been run once."""
    return finished_run(tmp_path_factory.getbasetemp(), mnist_raw, EVERY_RULE)


@pytest.fixture(scope="session")
def digits(mnist_raw: Path) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Images and labels of both sets, read as the format's description says."""

    def read(name: str, header: int) -> torch.Tensor:
        return torch.from_numpy(np.fromfile(mnist_raw / name, np.uint8)[header:])

    return {
        part: (
            read(f"{prefix}-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28),
            read(f"{prefix}-labels-idx1-ubyte", 8).long(),
        )
        for part, prefix in (("train", "train"), ("test", "t10k"))
    }
