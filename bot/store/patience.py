"""Patience: until when somebody waits for what this thread asks of the database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Patience(threading.local):
    """Each thread has its own. Nobody waits at first: then there is no limit."""

    def __init__(self) -> None:
        self._until: float | None = None
        #: Seconds of work that was not the database's.
        self._own = 0.0

    def _now(self) -> float:
        return time.monotonic() - self._own

    @contextmanager
    def unhurried(self) -> Iterator[None]:
        """Let the block take its time: it asks nothing of the database, and whoever waits grants it so much more."""
        began = time.monotonic()
        try:
            yield
        finally:
            self._own += time.monotonic() - began

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let the block take so many seconds, or fewer when somebody waits less long already."""
        before = self._until
        until = self._now() + seconds
        self._until = until if before is None else min(before, until)
        try:
            yield
        finally:
            self._until = before

    @property
    def is_limited(self) -> bool:
        """True when somebody waits."""
        return self._until is not None

    def left(self, otherwise: float = 3600.0) -> float:
        """Seconds left, 0 at least and `otherwise` at most; `otherwise` when nobody waits."""
        if self._until is None:
            return otherwise
        return min(max(0.0, self._until - self._now()), otherwise)
