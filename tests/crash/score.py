"""What people find of a story in Slack, what Lantern has of it in its database, and how tellings differ."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from sqlalchemy import func, select

from bot.standin.person import Person
from bot.standin.server import Standin
from bot.store import incident as incidents
from bot.store import outbox, tables, timeline
from bot.store import runbook as runs
from bot.store.db import Database
from tests.crash.fate import Point
from tests.crash_story import Seen, look, steady


@dataclass(frozen=True)
class Census:
    """How much there is in the whole workspace and in the database, whatever it belongs to."""

    incidents: int = 0
    entries: int = 0
    updates: int = 0
    runs: int = 0
    drafts: int = 0
    channels: int = 0
    #: Top-level messages in the channel of announcements.
    announcements: int = 0
    files: int = 0

    def __sub__(self, before: Census) -> Census:
        return Census(
            **{each.name: getattr(self, each.name) - getattr(before, each.name) for each in fields(self)}
        )

    def facts(self) -> list[str]:
        """It, one by one."""
        return [f"one of {each.name}" for each in fields(self) for _ in range(getattr(self, each.name))]


def census(standin: Standin, db: Database, reader: Person) -> Census:
    """Count everything there is now."""
    with db.reading() as session:
        kept = {
            name: session.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in (
                ("incidents", tables.incident),
                ("entries", tables.entry),
                ("updates", tables.stakeholder_update),
                ("runs", tables.run),
                ("drafts", tables.postmortem_revision),
            )
        }
    channels = list(standin.workspace.channels.values())
    return Census(
        **kept,
        channels=sum(not one.is_im for one in channels),
        announcements=sum(bool(one.get("bot_id")) for one in reader.messages("#incidents", 1000)),
        files=sum(one.is_complete for one in list(standin.workspace.files.values())),
    )


@dataclass(frozen=True)
class Told:
    """What came of one telling."""

    #: Everything that is there, one by one, as often as it is there.
    facts: list[str]
    #: What Lantern said in the channel, in its order.
    lines: list[str]
    #: What it said to people alone: who types again may be told that it is done already.
    alone: list[str] = field(default_factory=list)


def told(standin: Standin, db: Database, reader: Person, number: int) -> Told:
    """What there is of an incident."""
    seen = look(standin, reader, number)
    facts = list(_of_incident(seen))
    facts += _of_channel(standin, reader, number)
    facts += _of_database(db, number)
    facts += _of_draft(standin, db, number)
    return Told(facts, seen.lines)


def said_alone(standin: Standin) -> list[str]:
    """Every direct message there is, by its sender's sentence."""
    rooms = [one for one in list(standin.workspace.channels.values()) if one.is_im]
    return [message.text for room in rooms for message in list(room.messages.values())]


def _of_incident(seen: Seen) -> Iterator[str]:
    yield from seen.lines
    yield from (f"announced: {one}" for one in seen.announced)
    yield from (f"file: {name}" for name in seen.files)
    yield from (f"bookmark: {title} {link}" for title, link in seen.bookmarks)
    yield f"topic: {seen.topic}"
    for name, many in (("card", seen.cards), ("pin", seen.pins), ("mark", seen.marks)):
        yield from [name] * many


def _of_channel(standin: Standin, reader: Person, number: int) -> Iterator[str]:
    """What the lines do not say: people, purpose, Slack's own lines, and what the cards draw.

    Which past incidents are suggested is left out: every story told adds one.
    """
    slug = f"inc-{number:04d}"
    found = [one for one in list(standin.workspace.channels.values()) if slug in one.name]
    for channel in found:
        yield f"purpose: {steady(channel.purpose['value'])}"
        for person in channel.members:
            yield f"member: {standin.workspace.users[person].name}"
        for message in reader.messages(channel.id, 500):
            if message.get("subtype") not in (None, "file_share"):
                yield f"Slack's line: {steady(message['text'])}"
            elif message["blocks"] and not message.get("ephemeral") and not _is_of_entries(message):
                words = [word for word in _words(message["blocks"]) if "looked like this" not in word]
                yield f"drawn: {steady(json.dumps(words))}"


def _is_of_entries(message: dict[str, Any]) -> bool:
    # Entries that waited together share a message: their lines are compared one by one.
    return "*#" in message["text"].partition("\n")[0]


def _words(drawn: Any) -> Iterator[str]:
    """Every text of some blocks, buttons' included."""
    if isinstance(drawn, list):
        for each in drawn:
            yield from _words(each)
    elif isinstance(drawn, dict):
        for name, each in drawn.items():
            if name == "text" and isinstance(each, str):
                yield each
            else:
                yield from _words(each)


def _of_database(db: Database, number: int) -> Iterator[str]:
    with db.reading() as session:
        about = incidents.find_by_number(session, number)
        if about is None:
            return
        yield f"incident: {about.status}, {'with' if about.channel_id else 'without'} channel"
        for entry in timeline.live(session, about.id):
            images = ", ".join(image.name for image in entry.images)
            yield f"entry: #{entry.number} {entry.kind} {steady(entry.text)} [{images}]"
        for run in runs.of(session, about.id):
            done = ", ".join(f"{one.position} {one.outcome}" for one in run.outcomes)
            yield f"run: {run.runbook_id} {done}"
        for work in outbox.list_set_aside(session):
            yield f"set aside: {work.kind} {work.last_error}"


def _of_draft(standin: Standin, db: Database, number: int) -> Iterator[str]:
    """What the draft in the channel holds of what the database does."""
    drafts = [
        one.content.decode()
        for one in list(standin.workspace.files.values())
        if one.is_complete and one.name.endswith(".md") and f"inc-{number:04d}" in one.name
    ]
    with db.reading() as session:
        about = incidents.find_by_number(session, number)
        entries = timeline.live(session, about.id) if about is not None else []
    for draft in drafts:
        for entry in entries:
            yield from [f"in the draft: #{entry.number}"] * draft.count(entry.text.partition(":")[0])


def missing_and_extra(there: list[str], wanted: list[str]) -> tuple[list[str], list[str]]:
    """What of the wanted is not there, and what is there beyond it, each as often as it is."""
    found, expected = Counter(there), Counter(wanted)
    return sorted((expected - found).elements()), sorted((found - expected).elements())


@dataclass(frozen=True)
class Death:
    """One kill -9."""

    deed: str
    method: str
    point: Point

    def __str__(self) -> str:
        return f"{self.deed}: {self.point} {self.method}"


@dataclass
class Score:
    """What came of a run."""

    #: What was done to Lantern.
    deed: str = "killed"
    stories: int = 0
    deaths: list[Death] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    #: Stories that have everything once, and not in order.
    disordered: int = 0
    #: Plans that met no such call.
    spared: int = 0
    #: Where nobody died.
    never: list[str] = field(default_factory=list)

    @property
    def killed(self) -> int:
        return len(self.deaths)

    @property
    def is_whole(self) -> bool:
        return not (self.lost or self.doubled or self.disordered)

    def judge(self, found: Told, wanted: Told) -> str:
        """Compare a telling with the untroubled one. Gives what is wrong with it, or ""."""
        missing, extra = missing_and_extra(found.facts, wanted.facts)
        self.stories += 1
        self.lost += missing
        self.doubled += extra
        wrong = [f"lost {missing}"] * bool(missing) + [f"doubled {extra}"] * bool(extra)
        if not wrong and found.lines != wanted.lines:
            self.disordered += 1
            wrong = [f"out of order {found.lines}, wanted {wanted.lines}"]
        return "; ".join(wrong)

    def broke_off(self, why: Exception) -> str:
        """A story that could not be told to its end."""
        self.stories += 1
        self.lost.append(f"the rest of the story: {why!r}"[:500])
        return self.lost[-1]

    def __str__(self) -> str:
        return (
            f"{self.deed} {self.killed}, lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"out of order {self.disordered} ({self.stories} stories, {self.spared} plans met no call)"
        )


def table(deaths: list[Death]) -> list[str]:
    """Deaths by deed, method and point, as lines."""
    rows: dict[tuple[str, str], Counter[Point]] = {}
    for death in deaths:
        rows.setdefault((death.deed, death.method), Counter())[death.point] += 1
    width = max((len(f"{deed}: {method}") for deed, method in rows), default=0)
    lines = [f"{'':{width}}  " + "  ".join(f"{point:>16}" for point in Point)]
    for (deed, method), counts in sorted(rows.items()):
        figures = "  ".join(f"{counts[point] or '-':>16}" for point in Point)
        lines.append(f"{f'{deed}: {method}':{width}}  {figures}")
    return lines
