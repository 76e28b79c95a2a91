"""How functions are compiled, and when compiled code is used again."""

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from numba import config
from numba.core.codegen import get_host_cpu_features

import intriguing
from intriguing.attack import compilation

needs_avx512 = pytest.mark.skipif(
    "+avx512f" not in get_host_cpu_features(), reason="needs AVX-512"
)
WIDE = """
import numpy as np
from intriguing.attack.compilation import SUMS, entry_point

def dot(a, b):
    total = np.float32(0)
    for j in range(len(a)):
        total += a[j] * b[j]
    return total

dot = entry_point(dot, fastmath=SUMS)
dot(np.ones(64, np.float32), np.ones(64, np.float32))
print("zmm" in next(iter(dot.inspect_asm().values())))
"""
SMALL = """
import numpy as np
from intriguing.attack.compiled_lbfgs import trials
image = np.full((1, 3), 0.5, np.float32)
row, ring = np.ones(1, np.float32), np.zeros((1, 2, 3), np.float32)
point, length, descent = np.empty_like(image), row.copy(), row.copy()
given = (image, image, image, row, row, ring, ring.copy(), point, length, descent)
trials(*given, 0, 2.0, 1e-3)
print(*descent, sum(trials.stats.cache_misses.values()))
"""


def printed(code: str, **settings: str) -> str:
    """Return what a process of its own prints; it must give no warning."""
    command = [sys.executable, "-W", "error::UserWarning", "-c", code]
    done = subprocess.run(
        command, env=environment(settings), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout.strip()


def environment(settings: dict[str, str]) -> dict[str, str]:
    own = ("NUMBA_CPU_FEATURES", "NUMBA_CACHE_DIR")
    kept = {k: v for k, v in os.environ.items() if k not in own}
    return kept | {"PYTHONPATH": str(Path(intriguing.__file__).parents[1])} | settings


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a copy of the package, in a folder of its own."""
    ignored = shutil.ignore_patterns("__pycache__")
    source = Path(intriguing.__file__).parent
    shutil.copytree(source, tmp_path / "src/intriguing", ignore=ignored)
    return tmp_path / "src"


@needs_avx512
def test_compiled_sums_use_all_of_the_vector_registers(tmp_path):
    assert printed(WIDE, NUMBA_CACHE_DIR=str(tmp_path)) == "True"


@needs_avx512
def test_features_that_a_user_has_set_stay(tmp_path):
    features = f"{get_host_cpu_features()},+prefer-256-bit"
    settings = {"NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    assert printed(WIDE, **settings) == "False"


def test_an_edit_of_a_function_that_others_call_reaches_them(copied):
    settings = {"PYTHONPATH": str(copied)}
    before, misses = printed(SMALL, **settings).split()
    assert misses == "1"
    assert printed(SMALL, **settings).split() == [before, "0"]
    edited = copied / "intriguing/attack/vectors.py"
    text = edited.read_text().replace("total += a[j] * b[j]", "total -= a[j] * b[j]")
    times = edited.stat()
    edited.write_text(text)  # of the same size, and as old
    os.utime(edited, ns=(times.st_atime_ns, times.st_mtime_ns))
    after, misses = printed(SMALL, **settings).split()
    assert misses == "1" and float(after) != float(before)


@pytest.mark.skipif(os.name == "nt", reason="needs permissions")
def test_where_no_folder_can_be_written_functions_are_compiled_without_a_cache(copied):
    home = copied.parent / "home"
    home.mkdir()
    folders = [home, *(path for path in copied.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    cache = str(home / "cache")
    settings = {"PYTHONPATH": str(copied), "HOME": str(home), "XDG_CACHE_HOME": cache}
    blocked = UNWRITABLE + SMALL if os.getuid() == 0 else SMALL
    assert printed(blocked, **settings).split()[-1] == "1"
    for folder in folders:
        folder.chmod(stat.S_IRWXU)
    assert not any(path.is_file() for path in home.rglob("*"))
    assert not list(copied.rglob("*.nbi"))


UNWRITABLE = """
import tempfile
def refused(*args, **settings):
    raise PermissionError("read-only")
tempfile.TemporaryFile = refused
"""
"""For root, who may write everywhere."""


def test_a_lock_that_cannot_be_opened_is_no_failure(tmp_path):
    lock = tmp_path / compilation.cache_folder().name / "lock"
    lock.mkdir(parents=True)
    known = {}
    exec(SMALL, known)
    found, misses = printed(SMALL, NUMBA_CACHE_DIR=str(tmp_path)).split()
    assert misses == "1" and float(found) == known["descent"][0]


def test_of_processes_that_begin_at_once_one_compiles(tmp_path):
    given = {"env": environment({"NUMBA_CACHE_DIR": str(tmp_path)}), "text": True}
    command = [sys.executable, "-c", SMALL]
    both = [
        subprocess.Popen(command, stdout=subprocess.PIPE, **given) for _ in range(2)
    ]
    misses = [one.communicate(timeout=280)[0].split()[-1] for one in both]
    assert sorted(misses) == ["0", "1"]


@pytest.mark.skipif(os.name == "nt", reason="needs locks of files")
def test_a_process_that_keeps_the_lock_does_not_stop_others(tmp_path):
    import fcntl

    impatient = "from intriguing.attack import compilation\n"
    impatient += "compilation.LONGEST_WAIT = 0.5\n" + SMALL
    path = tmp_path / compilation.cache_folder().name / "lock"
    path.parent.mkdir()
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found, misses = printed(impatient, NUMBA_CACHE_DIR=str(tmp_path)).split()
        assert misses == "1"  # and stored all the same
        again = printed(impatient, NUMBA_CACHE_DIR=str(tmp_path)).split()
        assert again == [found, "0"]


def test_code_that_was_not_used_for_long_is_removed_when_sources_change(
    tmp_path, monkeypatch
):
    for name, days in (("intriguing-a", 31), ("intriguing-b", 29), ("other", 99)):
        (tmp_path / name / "inside").mkdir(parents=True)
        then = time.time() - days * 24 * 3600
        os.utime(tmp_path / name, (then, then))
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    new = compilation.cache_folder.__wrapped__()
    left = {folder.name for folder in tmp_path.iterdir()}
    assert left == {"intriguing-b", "other", new.name}
