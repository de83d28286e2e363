"""What whoever runs Lantern may do on its own machine. They may read everything: the database is theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.people import Person
from bot.domain.postmortem import Revision
from bot.domain.refusals import Refusal
from bot.store import incident as incidents
from bot.store import outbox, people
from bot.store import postmortem as postmortems
from bot.store.outbox import Work
from bot.usecases.desk import Desk

_ID = re.compile(r"[UW][A-Z0-9]{2,30}")


def who(desk: Desk, word: str) -> Person:
    """The person of a Slack id, or of a name that only one person has. Raises Refusal."""
    wanted = word.strip().lstrip("@")
    if _ID.fullmatch(wanted):
        with desk.db.reading() as session:
            return people.find(session, wanted) or Person(wanted, wanted)
    with desk.db.reading() as session:
        found = people.named(session, wanted)
        known = [one.name for one in people.some(session, 12)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(f"{one.id} ({one.name})" for one in found)
        raise Refusal(f"Several people are called “{wanted}”: {ids}. Give the id: --by {found[0].id}")
    met = f" Lantern has met {', '.join(sorted(known))}." if known else " Lantern has met nobody yet."
    raise Refusal(f"Nobody is known as “{wanted}”.{met} A Slack id always works: --by U012ABCDEF")


def incident_numbered(desk: Desk, word: str) -> Incident:
    """The incident that `42` or `inc-0042` names. Raises Refusal."""
    digits = word.strip().lower().removeprefix("inc-").lstrip("#")
    found = None
    if digits.isascii() and digits.isdigit() and len(digits) <= 9:
        with desk.db.reading() as session:
            found = incidents.find_by_number(session, int(digits))
    if found is None:
        raise Refusal(
            f"There is no incident “{word[:40]}”. `lantern list --all` shows them with their numbers."
        )
    return found


def all_incidents(desk: Desk, *, is_whole: bool, limit: int = 200) -> list[Incident]:
    """Open public incidents, newest first; with `is_whole` also those that are over, and private ones."""
    with desk.db.reading() as session:
        return incidents.find_any(session, is_whole=is_whole, limit=limit)


def latest_draft(desk: Desk, about: Incident) -> Revision | None:
    """The newest revision of its postmortem; None when there is none."""
    with desk.db.reading() as session:
        return postmortems.latest(session, about.id)


def plain(desk: Desk, text: str) -> str:
    """A sentence of Slack's markup as plain text, with names."""
    with desk.db.reading() as session:
        names = {one.id: one.name for one in people.known(session, markup.mentions(text)).values()}
        channels = people.channel_names(session, set(markup.channel_refs(text)))
    return markup.to_plain(text, names, channels)


@dataclass(frozen=True)
class Waiting:
    """What is still to be told to Slack."""

    open: int
    set_aside: list[tuple[Work, Incident | None]]


def deliveries_waiting(desk: Desk) -> Waiting:
    """How much waits, and what was set aside."""
    with desk.db.reading() as session:
        counted = outbox.backlog(session, desk.now_for_outbox())
        aside = outbox.list_set_aside(session)
        about = {
            work.incident_id: incidents.find(session, work.incident_id) for work in aside if work.incident_id
        }
    return Waiting(
        counted.open + counted.running, [(work, about.get(work.incident_id or 0)) for work in aside]
    )


def send_again(desk: Desk, word: str) -> list[int]:
    """Send again what was set aside, by its number or `all`. Gives the numbers. Raises Refusal."""
    with desk.db.writing() as session:
        aside = [work.id for work in outbox.list_set_aside(session, limit=10_000)]
        wanted = aside if word == "all" else [int(word)] if word.isascii() and word.isdigit() else []
        sent = [
            one for one in wanted if one in aside and outbox.send_again(session, one, desk.now_for_outbox())
        ]
    if not sent:
        known = ", ".join(map(str, aside[:20])) or "nothing"
        raise Refusal(f"“{word[:40]}” is not set aside (or not any more). Set aside: {known}.")
    desk.ring()
    return sent
