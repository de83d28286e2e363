"""The team's issue tracker: what Lantern asks of one, whichever it is. The files of bot/trackers/ do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class Standing(StrEnum):
    """What has become of an issue. `dropped`: closed without being done; `gone`: deleted, moved away or hidden."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"
    GONE = "gone"


@dataclass(frozen=True)
class Issue:
    """An issue that exists."""

    #: As people write it: "OPS-12", "acme/web#12".
    key: str
    #: Web address for people; "" when the tracker gave none that can be opened.
    link: str


@dataclass(frozen=True)
class Body:
    """What an issue says, as plain text. Each tracker writes it in its own markup, where nothing of it has effect."""

    text: str
    #: Lines about where it comes from.
    facts: tuple[str, ...] = ()
    #: Web address of the incident in the console; "" while that is off.
    page: str = ""


class NoTracker(Exception):
    """There is no tracker to ask. `sentence` says what to set."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Tracker(Protocol):
    """One project of a tracker. Every call raises Refused, RateLimited, Unreachable or Unknown."""

    #: "GitHub", as people call it.
    @property
    def name(self) -> str: ...

    #: "github:acme/web", as it is set and stored.
    @property
    def place(self) -> str: ...

    def at(self, place: str) -> Tracker:
        """Another project of the same tracker, by the same token. Raises NoTracker."""
        ...

    def create(self, title: str, body: Body, mark: str) -> Issue:
        """Create an issue that carries the mark."""
        ...

    def find(self, mark: str, since: datetime) -> Issue | None:
        """The issue that carries the mark, if one was created since then. Sees what was created seconds ago."""
        ...

    def state(self, key: str) -> Standing:
        """What has become of an issue."""
        ...

    def reach(self) -> str:
        """Read only: what the token reaches, as a sentence."""
        ...
