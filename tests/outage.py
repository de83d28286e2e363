"""Slack in trouble for a while: people go on working, and afterwards everything is there, once and in order."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.standin.person import Person
from bot.store import outbox
from tests.crash_gate import Gate
from tests.crash_story import look
from tests.houses import Town, said

#: What Slack does, one after another: limits, is unwell, takes calls and never answers, is not there.
TROUBLES = ("429", "503", "silent", "refused")
#: Incidents that are open before it begins; the first of them are closed meanwhile.
ROOMS = 4
OPENS = 5
CLOSES = 3


@dataclass
class Outage:
    """`Outage(town, gate).prepare()`, then `suffer`, then `drain`, then `problems()` is []."""

    town: Town
    #: Through which the town's Lantern reaches Slack.
    gate: Gate
    #: Seconds that a 429 asks to wait.
    retry_after: int = 1
    #: Milliseconds from each command to its answer, with the command.
    acks: list[tuple[float, str]] = field(default_factory=list)
    #: Commands that were typed again, since the database did not take them (a busy machine).
    again: list[str] = field(default_factory=list)
    #: Commands that were not answered as they should be.
    unanswered: list[str] = field(default_factory=list)
    #: Incident number -> its channel, of those that were open before.
    rooms: dict[int, str] = field(default_factory=dict)
    #: Incident number -> what was logged in its channel, in order.
    logged: dict[int, list[str]] = field(default_factory=dict)
    opened: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    #: Outbox items when Slack was well again.
    waiting: int = 0

    def prepare(self) -> None:
        """Open the incidents that are under way when it begins."""
        for _ in range(ROOMS):
            number = self._open(self.town.ana)
            self.town.settled(60)
            channel = self.town.incident(number).channel_id
            assert channel is not None
            self.rooms[number] = channel
            self.logged[number] = []
        self.opened.clear()
        self.acks.clear()

    def suffer(self, seconds: float, entries: int) -> None:
        """Let each trouble last a quarter of `seconds` while `entries` are logged, evenly in time."""
        began = time.monotonic()
        deeds = self._deeds(entries)
        for n, trouble in enumerate(TROUBLES):
            self._start(trouble)
            mine = deeds[n * len(deeds) // len(TROUBLES) : (n + 1) * len(deeds) // len(TROUBLES)]
            until = began + seconds * (n + 1) / len(TROUBLES)
            for left, deed in zip(range(len(mine), 0, -1), mine, strict=True):
                # Those that are left share the time that is left.
                time.sleep(max(0.0, (until - time.monotonic()) / (left + 1)))
                deed()
            time.sleep(max(0.0, until - time.monotonic()))
            self._end()
        with self.town.house.db.reading() as session:
            self.waiting = outbox.backlog(session, datetime.now(UTC)).open

    def drain(self, patience: float) -> float:
        """Seconds until everything is delivered. Fails after `patience`."""
        began = time.monotonic()
        self.town.settled(patience)
        return time.monotonic() - began

    def problems(self) -> list[str]:
        """What a person would find missing, doubled or out of order in Slack, and what was not answered."""
        found = [f"not answered: {line}" for line in self.unanswered]
        with self.town.house.db.reading() as session:
            if aside := outbox.backlog(session, datetime.now(UTC)).set_aside:
                found.append(f"{aside} notices were set aside")
        for number in [*self.rooms, *self.opened]:
            found += [f"inc {number}: {one}" for one in self._problems_of(number)]
        return found

    def _problems_of(self, number: int) -> list[str]:
        seen = look(self.town.standin, self.town.ana, number)
        status = "closed" if number in self.closed else "investigating"
        shown = [int(one) for line in seen.lines for one in re.findall(r"\*#(\d+)\*", line)]
        words = [line.rpartition(": ")[2] for line in seen.lines if re.search(r"line \d+ of", line)]
        kept = self.town.entries(number)
        checks: dict[str, tuple[Any, Any]] = {
            "channels": (seen.channels, 1),
            "cards": (seen.cards, 1),
            "pins": (seen.pins, 1),
            "status": (f" {status}:" in seen.lines[0] if seen.lines else None, True),
            "bookmarks": ([title for title, _ in seen.bookmarks], ["Runbooks", "Postmortem"]),
            "announcements": (len(seen.announced), 1),
            "drafts": (sum(name.endswith(".md") for name in seen.files), int(number in self.closed)),
            "drawn timelines": (
                sum(name.endswith(".png") for name in seen.files),
                int(number in self.closed),
            ),
            "entries by number": (shown, list(range(1, len(kept) + 1))),
            "entries by words": (words, self.logged.get(number, [])),
        }
        return [f"{what}: {is_so}, not {must}" for what, (is_so, must) in checks.items() if is_so != must]

    # What people do

    def _deeds(self, entries: int) -> list[Callable[[], None]]:
        deeds: list[Callable[[], None]] = [lambda n=n: self._log(n) for n in range(entries)]  # type: ignore[misc]
        # Closes come late, so that the closed channels have something waiting before their draft.
        for n in range(CLOSES):
            deeds.insert(len(deeds) * (n + 2) // (CLOSES + 2), self._close)
        for n in range(OPENS):
            deeds.insert(len(deeds) * (n + 1) // (OPENS + 1), lambda: self._open_another())
        return deeds

    def _log(self, n: int) -> None:
        left = [number for number in self.rooms if number not in self.closed]
        number = left[n % len(left)]
        text = f"line {n} of {number}"
        # Lantern has met ana alone, and Slack cannot say who the others are.
        who = (self.town.ana, self.town.ben, self.town.chloe)[n % 3]
        if self._types(who, f"/log note: {text}", self.rooms[number], "Logged"):
            self.logged[number].append(text)

    def _close(self) -> None:
        number = next(one for one in self.rooms if one not in self.closed)
        if self._types(self.town.ana, "/incident close now", self.rooms[number], "losed"):
            self.closed.append(number)

    def _open_another(self) -> None:
        self.opened.append(self._open(self.town.ben))

    def _open(self, who: Person) -> int:
        line = "/incident open logins fail sev2"
        began = who.types(line, "#general")
        number = re.search(r"inc-0*(\d+)", said(began))
        assert number is not None, f"not opened: {began}"
        self.acks.append((began["ack_ms"], line))
        return int(number[1])

    def _types(self, who: Person, line: str, channel: str, answered: str) -> bool:
        answer = who.types(line, channel)
        self.acks.append((answer["ack_ms"], line))
        if "was *not* saved" in said(answer) and line not in self.again:
            self.again.append(line)
            return self._types(who, line, channel, answered)
        if answered not in said(answer):
            self.unanswered.append(f"{line} -> {answer}")
            return False
        return True

    # What Slack does

    def _start(self, trouble: str) -> None:
        standin = self.town.standin
        if trouble == "429":
            standin.fault("*", "ratelimited", times=-1, retry_after=self.retry_after)
        elif trouble == "503":
            standin.fault("*", "http", times=-1)
        elif trouble == "silent":
            standin.fault("*", "hang", times=-1)
        else:
            self.gate.shut()

    def _end(self) -> None:
        self.town.standin.clear_faults()
        if not self.gate.is_open:
            self.gate.open()
