"""Progress bar, time limit and interrupt of an attack, which its loops ask about."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm


class InterruptedWarning(UserWarning):
    """The user has interrupted; what is returned is what was found until then."""


class Watch:
    """When an attack has to end, and how many of its images are done.

    Attributes:
        bar: Its progress bar; None shows nothing.
        deadline: When it ends, in seconds of ``time.monotonic``.
        interrupted: Whether the user has asked it to end.
        parts: Searches of each image, all of which it takes to be done.
    """

    def __init__(self, bar: Any = None, seconds: float | None = None) -> None:
        self.bar, self.interrupted, self.parts = bar, False, 1
        self.deadline = float("inf") if seconds is None else time.monotonic() + seconds

    def is_over(self) -> bool:
        """Return whether the attack has to end with what it has found."""
        return self.interrupted or time.monotonic() >= self.deadline

    def advance(self, searches: int) -> None:
        """Show that more searches are done."""
        if self.bar is not None:
            self.bar.update(searches / self.parts)

    def end(self) -> None:
        """End the attack at its next look."""
        self.deadline = 0.0

    def interrupt(self, *_signal: Any) -> None:
        """Ask the attack to end; the next interrupt of the user is one of Python's."""
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def watched(method: str, images: int, seconds: float | None) -> Iterator[Watch]:
    """Show a bar on a terminal; let an interrupt end the attack, not the program."""
    shown = {"total": images, "desc": method, "unit": "image", "leave": False}
    handler = signal.getsignal(signal.SIGINT)
    is_main = threading.current_thread() is threading.main_thread()
    takes_over = is_main and handler is signal.default_int_handler
    with tqdm(**shown, disable=None) as bar:
        watch = Watch(bar, seconds)
        try:
            if takes_over:
                signal.signal(signal.SIGINT, watch.interrupt)
            yield watch
        finally:
            if takes_over:
                signal.signal(signal.SIGINT, handler)
