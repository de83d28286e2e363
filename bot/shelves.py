"""Files that people may change while Lantern runs: runbooks and the catalogue, read again when they change."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Generic, TypeVar

from bot.catalogue import read_catalogue
from bot.domain.catalogue import Service
from bot.domain.runbook import Runbook
from bot.runbooks.checkout import commit_of
from bot.runbooks.reading import read_folder, runbook_files
from bot.runbooks.rules import Problem
from bot.settings import shipped

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
        look_every: float = _LOOK_EVERY,
    ) -> None:
        self._read, self._now, self._look_every = read, state, look_every
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._state: object = object()
        self._kept: Mapping[str, T] = {}

    def __call__(self) -> Mapping[str, T]:
        """The things as the files hold them, looked at every few seconds at most."""
        with self._lock:
            if time.monotonic() - self._looked < self._look_every:
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


def runbook_shelf(folder: Path, today: Callable[[], date], look_every: float = _LOOK_EVERY) -> Shelf[Runbook]:
    """The runbooks of a folder by id, each with the commit the folder is checked out at. One without steps is left out.

    A pull writes the files first and the commit last: for as long as it takes, a new file may be read with the old
    commit. Its own revision, a digest of what was read, is right all the same.
    """

    def read() -> tuple[dict[str, Runbook], list[Problem]]:
        commit = checkout(folder)
        runbooks, problems = _read_as_of(folder, today(), _state_of(runbook_files(folder)))
        return {name: replace(one, commit=commit) for name, one in runbooks.items()}, problems

    return Shelf(read, lambda: (checkout(folder), _state_of(runbook_files(folder))), look_every)


@lru_cache(maxsize=4)
def _read_as_of(folder: Path, today: date, _: object) -> tuple[dict[str, Runbook], list[Problem]]:
    """A folder's runbooks as its files were, read once for all who ask."""
    return read_folder(folder, today=today)


def checkout(folder: Path) -> str:
    """The commit of a folder that somebody set; "" for the shipped ones, which go with Lantern's own version."""
    return "" if folder == shipped("runbooks") else commit_of(folder)


def catalogue_shelf(path: Path | None) -> Shelf[Service]:
    """The services of the catalogue by name; none without a catalogue."""
    if path is None:
        return Shelf(lambda: ({}, []), lambda: None)
    return Shelf(lambda: read_catalogue(path), lambda: _state_of([path]))


def _state_of(files: Sequence[Path]) -> object:
    try:
        return tuple((one.name, one.stat().st_mtime_ns, one.stat().st_size) for one in files)
    except OSError:
        return None
