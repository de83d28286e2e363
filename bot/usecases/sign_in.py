"""Signing in to the console and out of it. Slack says who somebody is (bot/slack/openid.py); this keeps it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256

from bot.domain.people import Person
from bot.domain.sign_in import BELIEVED_FOR, LASTS_FOR, SignIn
from bot.store import people
from bot.store import sign_in as sign_ins
from bot.usecases.desk import Desk


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in."""

    person: Person
    sign_in: SignIn

    @property
    def id(self) -> str:
        return self.person.id


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def begin_sign_in(desk: Desk, someone: Person, *, browser: str) -> str:
    """Sign somebody in for whom Slack has just vouched; gives the token for the cookie. Raises NotSaved."""
    token = secrets.token_urlsafe(32)
    now = desk.now_for_outbox()
    with desk.db.writing() as session:
        people.save(session, someone)
        sign_ins.add(
            session,
            digest=_digest(token),
            person=someone.id,
            browser=browser,
            began_at=now,
            ends_at=now + LASTS_FOR,
        )
    desk.met.keep(someone)
    return token


def visitor_of(desk: Desk, token: str) -> Visitor | None:
    """Who the token is; None when it is no sign-in, has ended, or the person was deactivated."""
    with desk.db.reading() as session:
        found = sign_ins.find(session, _digest(token), desk.now_for_outbox())
        someone = None if found is None else people.find(session, found.person)
    if found is None or someone is None or someone.is_deleted:
        return None
    return Visitor(someone, found)


def is_to_be_asked(desk: Desk, visitor: Visitor) -> bool:
    """True when Slack was not asked about them for an hour: a change may have been missed."""
    return desk.now_for_outbox() - visitor.sign_in.asked_at > BELIEVED_FOR


def vouched_again(desk: Desk, someone: Person) -> None:
    """Slack says that they are still a full member, and what they are called now."""
    with desk.db.writing() as session:
        people.save(session, someone)
        sign_ins.asked(session, someone.id, desk.now_for_outbox())
    desk.met.keep(someone)


def end_sign_in(desk: Desk, token: str) -> None:
    """Sign this browser out."""
    with desk.db.writing() as session:
        sign_ins.end(session, _digest(token))


def end_everywhere(desk: Desk, *, by: str) -> int:
    """Sign a person out of every browser, and give how many there were."""
    with desk.db.writing() as session:
        return sign_ins.end_all(session, by)


def sign_ins_of(desk: Desk, *, by: str) -> list[SignIn]:
    """Where somebody is signed in, newest first."""
    with desk.db.reading() as session:
        return sign_ins.of(session, by, desk.now_for_outbox())
