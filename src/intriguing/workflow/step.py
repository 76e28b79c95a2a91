"""What every step does around its work: log, seeds, threads, errors in one line."""

import logging
import os
import platform
import random
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from tqdm import tqdm

from intriguing.errors import InputError

Item = TypeVar("Item")


@contextmanager
def step_log(
    job: Any, seed: int = 0, threads: int | None = 1
) -> Iterator[logging.Logger]:
    """Run the body of a step: records to the job's log, errors in one line.

    Warnings and errors are shown on the terminal too; tracebacks are in the log only.

    Args:
        job: Snakemake's object of the job: its ``log``, ``rule`` and ``wildcards``.
        seed: Of ``random``, numpy and torch.
        threads: Of torch. From the config, never the number that Snakemake hands
            out, on which results must not depend. None: the step needs no torch,
            and it is not imported.

    Raises:
        SystemExit: 1, after any error in the body.
    """
    path, started = Path(job.log[0]), time.perf_counter()
    with _handlers(path, job.rule), _interrupts_end_the_step():
        log = logging.getLogger(job.rule)
        log.info("rule %s, wildcards %s", job.rule, dict(job.wildcards.items()))
        try:
            _prepare(log, seed, threads)
            yield log
        except (InputError, OSError) as error:
            log.info("failed", exc_info=True)
            log.error("%s (log: %s)", error, path)
            sys.exit(1)
        except Exception as error:
            log.info("failed", exc_info=True)
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            log.error("%s (traceback: %s)", reason, path)
            sys.exit(1)
        except KeyboardInterrupt:
            log.info("interrupted")
            sys.exit(130)  # what shells say of it
        log.info("finished in %.1f s", time.perf_counter() - started)


def progress(iterable: Iterable[Item], label: str) -> Iterable[Item]:
    """Pass an iterable on, with a bar where somebody sits at the terminal."""
    return tqdm(iterable, label, leave=False, disable=None)


@contextmanager
def _handlers(path: Path, rule: str) -> Iterator[None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = logging.FileHandler(path, mode="w", encoding="utf-8")
    except OSError as error:
        sys.exit(f"{rule}: the log cannot be written: {error}")
    whole.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    terminal.setFormatter(logging.Formatter(f"{rule}: %(message)s"))
    # What libraries warn about is of use to developers: the log will do.
    terminal.addFilter(lambda record: record.name != "py.warnings")
    logging.captureWarnings(True)
    # A full disk must not bury the step's own error under those of its log.
    logging.raiseExceptions = False
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    root.addHandler(whole)
    root.addHandler(terminal)
    try:
        yield
    finally:
        root.removeHandler(terminal)
        root.removeHandler(whole)
        root.setLevel(before)
        logging.captureWarnings(False)
        with suppress(OSError):
            whole.close()


@contextmanager
def _interrupts_end_the_step() -> Iterator[None]:
    """Replace Python's handler of Ctrl-C by one that does the same.

    An attack that sees Python's own returns what it has found so far. A step must not
    write that as its result.
    """
    before = signal.signal(
        signal.SIGINT, lambda *args: signal.default_int_handler(*args)
    )
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _prepare(log: logging.Logger, seed: int, threads: int | None) -> None:
    random.seed(seed)
    np.random.seed(seed)
    log.info("python %s, numpy %s", platform.python_version(), np.__version__)
    if threads is None:
        log.info("seed %d", seed)
        return
    log.info("torch %s, seed %d, threads %d", metadata.version("torch"), seed, threads)
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # for determinism
    import torch  # takes seconds

    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    # As use_deterministic_algorithms(True), which loads torch's compiler: a second.
    torch.set_deterministic_debug_mode("error")
    if torch.cuda.is_available():
        log.info("cuda %s, %s", torch.version.cuda, torch.cuda.get_device_name())
