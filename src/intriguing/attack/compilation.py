"""Decorators for functions that numba compiles, and the cache of their machine code.

The cache's folder is named by a digest of all sources of `attack`, so that an edit of
any function, also of one in another module, is compiled before it runs. Where no folder
can be written, functions are compiled anew in every process.
"""

import gc
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from numba import config, njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.codegen import get_host_cpu_features
from numba.misc.appdirs import AppDirs

from intriguing.attack.code_libraries import EntryCompiler, KernelCompiler, LoopCompiler

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

DIGESTED_FILES = ()
"""`source_digest` reads modules, which are imported and so digested as code."""

SUMS = {"reassoc", "contract", "nsz", "arcp"}
"""Let sums be reordered, so that they run on vector registers; NaN stays NaN."""
UNUSED_DAYS = 30
"""Days after which machine code that no process has used is removed."""
LONGEST_WAIT = 300.0
"""Seconds to wait for a process that compiles. It may hang, and compiling is harmless
while another does the same."""


def use_widest_registers() -> None:
    """Let compiled functions use vector registers of 512 bits, where there are any.

    LLVM keeps to 256 on most Intel processors, as the first with AVX-512 slowed down
    where it was used now and then. Numba has no such option of a single function: it
    holds for the process. What a user has set in NUMBA_CPU_FEATURES stays.
    """
    features = get_host_cpu_features()
    settings: Any = config
    if settings.CPU_FEATURES is None and "+avx512f" in features:
        settings.CPU_FEATURES = f"{features},-prefer-256-bit"


use_widest_registers()


ALL: dict[str, Any] = {
    "error_model": "numpy",
    "_nrt": False,
    "no_cfunc_wrapper": True,
    "pipeline_class": EntryCompiler,
}
"""Options of all functions. Without numba's runtime they can make no arrays, but need
not count references, which costs much of the time with vectors as short as an image."""
INNER: dict[str, Any] = {
    **ALL,
    "no_cpython_wrapper": True,
    "pipeline_class": KernelCompiler,
}

kernel = njit(**INNER)
"""Decorator of functions that only compiled ones call."""
sum_kernel = njit(fastmath=SUMS, **INNER)
"""The same for functions whose sums may be reordered."""
LOOP: dict[str, Any] = {**INNER, "pipeline_class": LoopCompiler}
loop_kernel = njit(fastmath=SUMS, **LOOP)
"""The same for loops over pixels that are called from many places."""


def entry_point(function: Callable[..., Any], **options: Any) -> Any:
    """Return a function that Python calls, compiled and cached, without the GIL.

    Args:
        function: Plain function.
        options: Options of `numba.njit` that differ from `ALL`.
    """
    compiled: Any = njit(nogil=True, **(ALL | options))(function)
    compiled._cache = SourceCache(function)
    return compiled


@cache
def source_digest() -> str:
    """Return a digest of all sources of this package."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path | None:
    """Return the folder of the machine code, or None where none can be written."""
    name = f"intriguing-{source_digest()}"
    in_tree, of_user = Path(__file__).parent / "__pycache__", AppDirs("numba", False)
    settings: Any = config
    chosen = [Path(settings.CACHE_DIR)] if settings.CACHE_DIR else []
    for place in (*chosen, in_tree, Path(of_user.user_cache_dir)):
        folder = place / name
        try:
            new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            os.utime(folder)
        except OSError:
            continue
        if new:
            remove_unused(place)
        return folder
    return None


def remove_unused(place: Path) -> None:
    """Remove machine code of other sources that has not been used for long.

    A process that still runs it has it in memory, and compiles what it needs besides.
    """
    for folder in place.glob("intriguing-*"):
        try:
            unused = time.time() - folder.stat().st_mtime
        except OSError:  # another process was faster
            continue
        if unused > UNUSED_DAYS * 24 * 3600:
            shutil.rmtree(folder, ignore_errors=True)


class SourceLocator(_CacheLocator):
    """Numba's view of `cache_folder`."""

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        """Return what changes with the code."""
        return source_digest()

    def get_disambiguator(self) -> str:
        """Return nothing: names of functions are enough."""
        return ""

    @classmethod
    def from_function(cls, py_func, py_file):
        """Return the same for every function."""
        return cls()


class SourceCacheImpl(CompileResultCacheImpl):
    """Numba's way to store functions, in `cache_folder`."""

    _locator_classes: ClassVar = [SourceLocator]

    def __init__(self, py_func: Callable[..., Any]) -> None:
        self._lineno = py_func.__code__.co_firstlineno
        self._locator = SourceLocator()
        name = f"{py_func.__module__}.{py_func.__qualname__}".replace("<locals>.", "")
        self._filename_base = self.get_filename_base(name, sys.abiflags)


class SourceCache(FunctionCache):
    """Cache of one function; one process at a time compiles what is not in it.

    Without a folder it is empty and stays so.
    """

    _impl_class = SourceCacheImpl

    def __init__(self, py_func: Callable[..., Any]) -> None:
        self.py_func = py_func

    def open(self) -> bool:
        """Open the cache on its first use; return whether there is a folder."""
        if cache_folder() is None:
            return False
        if not hasattr(self, "_impl"):
            super().__init__(self.py_func)
        return True

    @property
    def cache_path(self) -> str | None:
        """Return the folder, None where none can be written."""
        return None if cache_folder() is None else str(cache_folder())

    def load_overload(self, sig, target_context):
        """Return a stored function; where there is none, compiling begins."""
        found = self._load(sig, target_context)
        if found is None and COMPILING.begin():
            found = self._load(sig, target_context)
        if found is None:
            COMPILING.announce()
        else:
            COMPILING.end()
        return found

    def _load(self, sig, target_context):
        return super().load_overload(sig, target_context) if self.open() else None

    def save_overload(self, sig, data) -> None:
        """Store a compiled function."""
        try:
            if self.open():
                super().save_overload(sig, data)
        except OSError:
            pass  # a full disk: the function is compiled, and runs
        finally:
            COMPILING.end()


class Compiling:
    """This process's turn at compiling, held by a lock on a file of the cache."""

    def __init__(self) -> None:
        self.file: Any = None
        self.announced = self.collects = False
        self.waits = fcntl is not None

    def begin(self) -> bool:
        """Wait for the turn; return whether it has come.

        Garbage is collected afterwards: to look for it among all that numba keeps takes
        a tenth of the time.
        """
        folder = cache_folder()
        self.collects |= gc.isenabled()
        gc.disable()
        if folder is None or not self.waits or self.file is not None:
            return False
        try:
            self.file = (folder / "lock").open("a")
            self.waits = locked(self.file)
        except OSError:
            self.waits = False
        return self.waits

    def end(self) -> None:
        """Give the turn to the next process."""
        if self.collects:
            gc.enable()
        if self.file is not None:
            self.file.close()
        self.file = None

    def announce(self) -> None:
        """Say once on a terminal why nothing happens for some seconds."""
        if not self.announced and sys.stderr.isatty():
            when = "for this process" if cache_folder() is None else "once"
            print(f"Compiling the attack {when}, about 20 s ...", file=sys.stderr)
        self.announced = True


def locked(file: Any) -> bool:
    """Lock a file, unless another process keeps it for too long."""
    end = time.monotonic() + LONGEST_WAIT
    while fcntl is not None and time.monotonic() < end:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
        else:
            return True
    return False


COMPILING = Compiling()
