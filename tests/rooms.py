"""Rooms: many incidents in one town, so that a module of tests starts its town once."""

from __future__ import annotations

import copy
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from bot.domain.followup import FollowUp
from bot.domain.incident import Incident
from bot.domain.pace import Pace
from bot.domain.postmortem import Facts, Revision
from bot.domain.timeline import Entry, EntryRevision
from bot.standin.outward import Delivery
from bot.standin.person import Person
from bot.store import followup, postmortem, timeline
from tests.houses import Town, said, until

_fresh = count(1)


@contextmanager
def hasty_town(folder: Path, transport: str = "socket", **settings: Any) -> Iterator[Town]:
    """A town on SQLite whose postman does not pace himself: the stand-in sets no limits either."""
    pace = Pace(time.monotonic, {}, {})
    with Town(f"sqlite:///{folder / 'lantern.db'}", transport=transport, pace=pace, **settings) as town:
        yield town


@dataclass(frozen=True)
class Room:
    """One incident of a town, seen from its database and from its channel."""

    town: Town
    number: int
    channel: str

    @property
    def about(self) -> Incident:
        return self.town.incident(self.number)

    @property
    def entries(self) -> list[Entry]:
        return self.town.entries(self.number)

    def told(self, words: str) -> list[Entry]:
        """Entries that stand and hold these words."""
        return [one for one in self.entries if words in one.text]

    def only(self, words: str) -> Entry:
        """The one entry with these words, once it is there."""
        until(lambda: bool(self.told(words)), 8, f"no entry says “{words}”")
        self.town.settled()
        (found,) = self.told(words)
        return found

    def history(self, number: int) -> list[EntryRevision]:
        with self.town.house.db.reading() as session:
            entry = timeline.find_by_number(session, self.about.id, number)
            assert entry is not None
            return timeline.history(session, entry.id)

    @property
    def follow_ups(self) -> list[FollowUp]:
        with self.town.house.db.reading() as session:
            return followup.of(session, self.about.id)

    @property
    def facts(self) -> Facts:
        with self.town.house.db.reading() as session:
            return postmortem.facts(session, self.about.id, "UTC")

    @property
    def revision(self) -> Revision | None:
        with self.town.house.db.reading() as session:
            return postmortem.latest(session, self.about.id)

    def types(self, line: str, by: Person | None = None) -> str:
        """The answer to a command typed in the room."""
        return said((by or self.town.ana).types(line, self.channel))

    def messages(self, words: str = "", by: Person | None = None) -> list[dict[str, Any]]:
        """What stands in the channel and holds these words; what only one person sees is left out."""
        self.town.settled()
        found = (by or self.town.ana).messages(self.channel)
        return [one for one in found if words in one["text"] and not one.get("ephemeral")]

    def message(self, words: str) -> dict[str, Any]:
        return self.town.ana.waits_for_message(self.channel, words)

    @property
    def card(self) -> dict[str, Any]:
        """The header card."""
        self.town.settled()
        return next(one for one in self.messages() if one["ts"] == self.about.header_ts)

    def form(self, by: Person | None = None) -> dict[str, Any]:
        """The form now open on top."""
        return (by or self.town.ana).views()[-1]


def opened(town: Town, line: str = "/incident open logins fail sev2", by: Person | None = None) -> Room:
    """Open one more incident and wait until its channel is ready."""
    answer = said((by or town.ana).types(line, "#general"))
    number = re.search(r"inc-0*(\d+)", answer)
    assert number is not None, answer
    town.settled()
    channel = town.incident(int(number[1])).channel_id
    assert channel is not None
    return Room(town, int(number[1]), channel)


def fresh_words(stem: str = "seen") -> str:
    """Words that no other test has typed."""
    return f"{stem} {next(_fresh):04d}"


# What Slack sends again


def event(town: Town, kind: str, by: Person) -> Delivery:
    """The newest event of a type that a person caused; the bot's own deeds make events too."""
    sent = [(one, one.payload["event"]) for one in town.standin.deliveries("event")]
    return [one for one, told in sent if (told["type"], told["user"]) == (kind, by.id)][-1]


def twin(delivery: Delivery) -> Delivery:
    """The same words from the same person as a request of its own: a new trigger, view or event id."""
    payload = copy.deepcopy(delivery.payload)
    mark = f"again{next(_fresh)}"
    for key in ("trigger_id", "event_id"):
        if key in payload:
            payload[key] = f"{payload[key]}.{mark}"
    if payload.get("type") == "view_submission":
        payload["view"]["id"] = f"{payload['view']['id']}{mark}"
    return replace(delivery, payload=payload, answers=[], retry_num=0)


def send(town: Town, delivery: Delivery, times: int = 3) -> None:
    """Send the very same again, one after the other, then wrapped and signed anew."""
    for new_envelope in (False, True):
        answers = town.standin.redeliver(delivery, new_envelope=new_envelope, times=times)
        assert all(answer.is_ok for answer in answers), answers


def send_at_once(town: Town, delivery: Delivery, times: int = 4) -> None:
    """Send copies of one request in the same moment, each in an envelope of its own."""
    gate = threading.Barrier(times)
    problems: list[object] = []

    def go(one: Delivery) -> None:
        gate.wait(10)
        (answer,) = town.standin.redeliver(one, new_envelope=True)
        if not answer.is_ok:
            problems.append(answer)

    threads = [threading.Thread(target=go, args=(copy.deepcopy(delivery),)) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not problems, problems
