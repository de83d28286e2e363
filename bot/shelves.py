"""Files that people may change while Lantern runs: runbooks and the catalogue, read again when they change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

from bot.catalogue import read_catalogue
from bot.domain.catalogue import Service
from bot.domain.runbook import Runbook
from bot.runbooks.reading import read_folder
from bot.runbooks.rules import Problem

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds between two looks at the files.
_LOOK_EVERY = 5.0


class Shelf(Generic[T]):
    """Things by name, read from files. What is wrong in a file is said in the log."""

    def __init__(
        self,
        read: Callable[[], tuple[Mapping[str, T], Sequence[Problem]]],
        state: Callable[[], object],
    ) -> None:
        self._read, self._now = read, state
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._state: object = object()
        self._kept: Mapping[str, T] = {}

    def __call__(self) -> Mapping[str, T]:
        """The things as the files hold them, looked at every few seconds at most."""
        with self._lock:
            if time.monotonic() - self._looked < _LOOK_EVERY:
                return self._kept
            self._looked = time.monotonic()
            state = self._now()
            if state != self._state:
                self._kept, problems = self._read()
                self._state = state
                for problem in problems:
                    if problem.is_error:
                        log.warning("a file has a fault: %s", problem)
            return self._kept


def runbook_shelf(folder: Path, today: Callable[[], date]) -> Shelf[Runbook]:
    """The runbooks of a folder by id. One without steps is left out."""
    return Shelf(
        lambda: read_folder(folder, today=today()),
        lambda: _state_of(sorted(folder.glob("*.md"))),
    )


def catalogue_shelf(path: Path | None) -> Shelf[Service]:
    """The services of the catalogue by name; none without a catalogue."""
    if path is None:
        return Shelf(lambda: ({}, []), lambda: None)
    return Shelf(lambda: read_catalogue(path), lambda: _state_of([path]))


def _state_of(files: Sequence[Path]) -> object:
    try:
        return [(one.name, one.stat().st_mtime_ns, one.stat().st_size) for one in files]
    except OSError:
        return None
