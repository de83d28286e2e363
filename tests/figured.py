"""The incidents of tests/figures/incidents.yaml, put into a real database, and the figures beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.domain.followup import FollowUpState
from bot.domain.incident import Severity, Status
from bot.domain.people import Person, Role
from bot.domain.timeline import Kind, Source
from bot.settings import shipped
from bot.store import followup, incident, people, postmortem, schema, timeline
from bot.store.db import Database, Session
from bot.usecases import incident as incidents
from bot.usecases.desk import Desk, Options
from bot.usecases.postmortem import Closing, close_incident

# Read as words alone: YAML would take 10:30:00 for a number of seconds.
BOOK: dict[str, Any] = yaml.load(
    (Path(__file__).parent / "figures" / "incidents.yaml").read_text(encoding="utf-8"), yaml.BaseLoader
)
NOW = datetime.fromisoformat(f"{BOOK['now']}+00:00")
NAMES = {
    "detect": "Time to detect",
    "ack": "Time to acknowledge",
    "mitigate": "Time to mitigate",
    "resolve": "Time to resolve",
    "response": "Response",
    "update": "First update",
    "silence": "Longest silence",
    "gap": "Longest gap",
}
_ENTRY = re.compile(
    r"(?P<kind>[a-z ]+?) (?P<happened>[\d: -]+?)(?: written (?P<written>[\d: -]+?))?(?: by (?P<by>alert|bot))?"
    r"(?P<undone> undone)?"
)
_OWED = re.compile(r"(?:due (?P<due>\S+) )?(?P<state>open|done|dropped)(?: (?P<settled>.+))?")
_ENDS = {"cancelled": Status.CANCELLED, "merged": Status.MERGED}


@contextmanager
def a_desk(url: str, clock: Callable[[], datetime], zone: str = "UTC") -> Iterator[Desk]:
    """A desk at a new database, with no house around it."""
    db = Database(url)
    try:
        schema.migrate(db, shipped("migrations"))
        yield Desk(
            db=db,
            clock=clock,
            ring=lambda: None,
            runbooks=dict,
            compile=lambda facts: facts.incident.title,
            options=Options(team_zone=zone),
        )
    finally:
        db.close()


@contextmanager
def figured(url: str) -> Iterator[Desk]:
    """A desk at a database that holds the twenty incidents, on their day."""
    time = [NOW]
    with a_desk(url, lambda: time[0], BOOK["zone"]) as desk:
        with desk.db.writing() as session:
            people.save(session, Person("UBOT", "robot", is_bot=True))
            for told in BOOK["incidents"]:
                _put(session, told)
        for told in BOOK["incidents"]:
            for deed in told.get("deeds", ()):
                word, at = deed.split(" ", 1)
                time[0] = moment(at, told)
                if word == "close":
                    close_incident(desk, int(told["number"]), Closing(), by="UANA")
                else:
                    incidents.reopen_incident(desk, int(told["number"]), by="UANA")
        time[0] = NOW
        yield desk


def moment(text: str, told: dict[str, Any]) -> datetime:
    """A moment of an incident; a clock alone is on the day of its opening."""
    day = "" if " " in text else f"{told['opened'].split()[0]} "
    return datetime.fromisoformat(f"{day}{text}").replace(tzinfo=UTC)


def length(text: str) -> timedelta:
    """0:09:13.5"""
    hours, minutes, seconds = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def _put(session: Session, told: dict[str, Any]) -> None:
    opened = moment(told["opened"], told)
    about = incident.add(
        session,
        title="words",
        severity=Severity(told["severity"]),
        is_private=told.get("is_private") == "true",
        is_drill=told.get("is_drill") == "true",
        opened_at=opened,
        opened_by="UANA",
        service=told.get("service"),
    )
    assert about.id == about.number == int(told["number"])
    people.join(session, about.id, "UANA", opened)
    people.hand_over(session, about.id, Role.COMMANDER, "UANA", opened)
    if "scribe" in told:
        people.hand_over(session, about.id, Role.SCRIBE, "UBEN", moment(told["scribe"], told))
    for line in told.get("entries", ()):
        _put_entry(session, told, line)
    for at in told.get("updates", ()):
        sent = moment(at, told)
        postmortem.add_update(session, incident_id=about.id, text="words", sent_at=sent, sent_by="UANA")
    for line in told.get("follow_ups", ()):
        _put_follow_up(session, told, line)
    began, ended = [*(moment(at, told) for at in told.get("impact", ())), None, None][:2]
    changes: dict[str, Any] = {"impact_started_at": began, "impact_ended_at": ended}
    if "closed" in told:
        status = _ENDS.get(told.get("ends_as", ""), Status.CLOSED)
        changes |= {"closed_at": moment(told["closed"], told), "status": status.value}
    incident.save(session, about.id, **changes)


def _put_entry(session: Session, told: dict[str, Any], line: str) -> None:
    read = _ENTRY.fullmatch(line)
    assert read, line
    happened = moment(read["happened"], told)
    incident_id = int(told["number"])
    made = timeline.add(
        session,
        incident_id=incident_id,
        number=incident.take_number(session, incident_id, "entry"),
        kind=Kind(read["kind"]),
        text="words",
        happened_at=happened,
        recorded_at=moment(read["written"], told) if read["written"] else happened,
        author="UANA",
        recorded_by="UBOT" if read["by"] == "bot" else "UANA",
        source=Source.ALERT if read["by"] == "alert" else Source.COMMAND,
    )
    if read["undone"]:
        timeline.save(session, made.id, undone_at=NOW, undone_by="UANA")


def _put_follow_up(session: Session, told: dict[str, Any], line: str) -> None:
    read = _OWED.fullmatch(line)
    assert read, line
    incident_id = int(told["number"])
    made = followup.add(
        session,
        incident_id=incident_id,
        number=incident.take_number(session, incident_id, "follow_up"),
        text="words",
        owner=None,
        due_on=date.fromisoformat(read["due"]) if read["due"] else None,
        created_at=moment(told["opened"], told),
        created_by="UANA",
    )
    settled = moment(read["settled"], told) if read["settled"] else None
    followup.save(session, made.id, state=FollowUpState(read["state"]).value, settled_at=settled)
