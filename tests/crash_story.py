"""One incident from its opening to its archive, step by step, and what a person finds of it in Slack afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bot.standin.model import Channel
from bot.standin.person import Person
from bot.standin.server import Standin
from tests.houses import said, until

#: Whether everything has been delivered.
Settle = Callable[[], None]

_VARIES = (
    (re.compile(r"inc-\d{4}"), "inc-N"),
    (re.compile(r"<!date\^[^>]*>"), "DATE"),
    (re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?( UTC)?"), "MOMENT"),
    (re.compile(r"\b\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d( UTC)?"), "MOMENT"),
    (re.compile(r"\b[CFU][A-Z0-9]{8,}\b"), "ID"),
    (re.compile(r"\bp?\d{10}\.?\d{6}\b"), "TS"),
    (re.compile(r"\b\d+ (s|seconds?|min|minutes?)\b"), "SPAN"),
    # The longer the telling takes, the fewer things seem to have happened at once.
    (re.compile(r"\b\d+ open questions"), "open questions"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "SLACK"),
)
#: A story that was told before is a precedent of the next.
_PRECEDENT = re.compile(r"<#\w+> \*inc-\d+\* looked like this|because of “")


def steady(text: str) -> str:
    """The text without what differs between two tellings of the same story: moments, ids, numbers."""
    for varying, name in _VARIES:
        text = varying.sub(name, text)
    return text


@dataclass(frozen=True)
class Seen:
    """What people find of one incident in Slack."""

    #: Channels made for it.
    channels: int
    topic: str
    is_archived: bool
    #: What Lantern said in the channel, line by line: entries that waited together share a message.
    lines: list[str]
    #: How many messages hold the card, and how many of them are pinned.
    cards: int
    pins: int
    bookmarks: list[tuple[str, str]]
    files: list[str]
    #: Lantern's marks under messages that became entries.
    marks: int
    #: What Lantern said in the announcement channel, with the replies under it.
    announced: list[str]


def look(standin: Standin, reader: Person, number: int) -> Seen:
    """What there is of an incident in Slack now."""
    slug = f"inc-{number:04d}"
    made = [one for one in list(standin.workspace.channels.values()) if slug in one.name]
    if not made:
        return Seen(0, "", False, [], 0, 0, [], [], 0, [])
    channel = made[0]
    posts = [one for one in reader.messages(channel.id, 500) if not one.get("ephemeral")]
    said_there = [one for one in posts if one.get("bot_id") and one.get("subtype") in (None, "file_share")]
    return Seen(
        channels=len(made),
        topic=steady(channel.topic["value"]),
        is_archived=channel.is_archived,
        lines=[
            steady(line)
            for one in said_there
            for line in one["text"].splitlines()
            if line.strip() and not _PRECEDENT.match(line)
        ],
        cards=sum(_is_card(one) for one in said_there),
        pins=len(channel.pins),
        bookmarks=[(one["title"], steady(one["link"])) for one in channel.bookmarks],
        files=[steady(name) for one in said_there for name in _files(standin, one)],
        marks=sum(mark["name"] == "memo" for one in posts for mark in one.get("reactions") or []),
        announced=_announced(reader, channel),
    )


def _is_card(message: dict[str, Any]) -> bool:
    return bool(message["blocks"]) and message["blocks"][0]["type"] == "header"


def _files(standin: Standin, message: dict[str, Any]) -> list[str]:
    return [one["name"] for one in message.get("files") or []]


def _announced(reader: Person, channel: Channel) -> list[str]:
    found = []
    for one in reader.messages("#incidents", 500):
        if channel.id in one["text"]:
            found.append(steady(one["text"]))
            found += [steady(reply["text"]) for reply in reader.replies("#incidents", one["ts"])[1:]]
    return found


@dataclass
class Story:
    """The story of one incident. `settle` waits until everything has been delivered."""

    standin: Standin
    ana: Person
    ben: Person
    settle: Settle
    #: Called before each step, so that a test can make trouble for it.
    before: Callable[[str], None] = lambda _step: None
    number: int = 0
    channel: str = ""
    steps: list[str] = field(default_factory=list)

    def tell(self) -> Seen:
        """Tell it from start to end, and give what people find of it."""
        self.open()
        self.lead()
        self.close()
        self._do("archive", lambda: self._types("/incident archive", "will be archived"))
        return self.seen()

    def seen(self) -> Seen:
        return look(self.standin, self.ana, self.number)

    def open(self) -> None:
        self._do("open", lambda: self.opens("#general"))
        found = [
            one
            for one in list(self.standin.workspace.channels.values())
            if f"inc-{self.number:04d}" in one.name
        ]
        assert found, "no channel was made"
        self.channel = found[0].id

    def opens(self, asked_in: str) -> None:
        answer = said(self.ana.types("/incident open logins fail sev2", asked_in))
        number = re.search(r"inc-0*(\d+)", answer)
        assert number is not None, answer
        self.number = int(number[1])

    def log(self) -> None:
        self._do("log", lambda: self._types("/log detection: alarms on login", "Logged"))

    def lead(self) -> None:
        self.log()
        self._do("log more", lambda: self._types("/log finding: one server takes the traffic", "Logged"))
        self._do("edit", lambda: self._types("/log edit 2 detection: alarms on every login", "#2"))
        self._do("mark", self._marks_a_message)
        self._do("suggest", lambda: self.ana.clicks(self._message(f"inc-{self.number:04d} SEV2"), "Runbook"))
        self._do("runbook", lambda: self._types("/runbook start lb-uneven-traffic", "is coming"))
        self._do("step", lambda: self.ana.clicks(self._message("step 1 of"), "Done"))
        self._do("update", lambda: self._types("/incident update a fix is coming", "on its way"))
        self._do("severity", lambda: self._types("/incident severity sev1", "SEV1"))

    def close(self) -> None:
        self._do("close", self.closes)

    def closes(self) -> None:
        self._types("/incident close", "")
        form = self.ana.waits_for(self.ana.views)[-1]
        answer = self.ana.submits(
            form, {"Root cause": "one server had a high weight", "Resolution": "equal weights"}
        )
        assert answer["closed"], answer

    def _marks_a_message(self) -> None:
        self.ben.joins(self.channel)
        self.ana.reacts(self.ben.says(self.channel, "the weights look wrong"), "pushpin", self.channel)
        until(lambda: self.seen().marks > 0, 15, "the marked message was not logged")

    def _types(self, line: str, answered: str) -> None:
        answer = said(self.ana.types(line, self.channel))
        assert answered in answer, answer

    def _message(self, words: str) -> dict[str, Any]:
        return self.ana.waits_for_message(self.channel, words)

    def _do(self, step: str, deed: Callable[[], object]) -> None:
        self.before(step)
        deed()
        self.settle()
        self.steps.append(step)
