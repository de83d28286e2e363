"""People as Slack last described them, roles held, responders, and channel names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, insert, select, update

from bot.domain.people import Person, Responder, Role, RoleHeld
from bot.store.db import Session
from bot.store.once import insert_once, insert_or_update
from bot.store.tables import channel, incident, person, responder, role_held
from bot.store.types import UtcDateTime

#: What a private incident's channel is called wherever others read.
PRIVATE_CHANNEL = "private-channel"

# Built once: every opening runs them.
_END_ROLE = (
    update(role_held)
    .where(
        role_held.c.incident_id == bindparam("of"),
        role_held.c.role == bindparam("which"),
        role_held.c.until_at.is_(None),
    )
    .values(until_at=bindparam("at", type_=UtcDateTime))
)
_TAKE_ROLE = insert(role_held)


def save(session: Session, someone: Person) -> None:
    """Remember a person, over what was known before."""
    insert_or_update(
        session,
        person,
        "id",
        id=someone.id,
        name=someone.name,
        # No zone has a longer name.
        tz=someone.tz if len(someone.tz) <= 64 else "",
        is_bot=someone.is_bot,
        is_deleted=someone.is_deleted,
        seen_at=someone.seen_at,
    )


def find(session: Session, person_id: str) -> Person | None:
    row = session.execute(select(person).where(person.c.id == person_id)).mappings().one_or_none()
    return None if row is None else Person(**row)


def known(session: Session, person_ids: Iterable[str]) -> dict[str, Person]:
    """The people among these ids that Lantern has met, by id."""
    wanted = sorted(set(person_ids))
    found: dict[str, Person] = {}
    for start in range(0, len(wanted), 500):
        rows = session.execute(select(person).where(person.c.id.in_(wanted[start : start + 500]))).mappings()
        found.update({row["id"]: Person(**row) for row in rows})
    return found


def named(session: Session, name: str) -> list[Person]:
    """The people with this name, whatever its case; bots and the deleted aside."""
    rows = session.execute(
        select(person)
        .where(
            func.lower(person.c.name) == name.lower(),
            person.c.is_bot.is_(False),
            person.c.is_deleted.is_(False),
        )
        .order_by(person.c.id)
        .limit(10)
    ).mappings()
    return [Person(**row) for row in rows]


def some(session: Session, limit: int) -> list[Person]:
    """People seen last, at most so many."""
    rows = session.execute(
        select(person).where(person.c.is_bot.is_(False)).order_by(person.c.seen_at.desc()).limit(limit)
    ).mappings()
    return [Person(**row) for row in rows]


def save_channel(session: Session, channel_id: str, name: str, now: datetime) -> None:
    insert_or_update(session, channel, "id", id=channel_id, name=name[:80], seen_at=now)


def channel_names(
    session: Session, channel_ids: Iterable[str], *, within: int | None = None
) -> dict[str, str]:
    """Names of those of these channels that Lantern has met, by id.

    The channel of a private incident is named after its title: it has no name but in the incident `within`.
    """
    wanted = sorted(set(channel_ids))
    if not wanted:
        return {}
    rows = session.execute(select(channel.c.id, channel.c.name).where(channel.c.id.in_(wanted))).all()
    private = select(incident.c.channel_id).where(
        incident.c.channel_id.in_(wanted), incident.c.is_private, incident.c.id != (within or 0)
    )
    hidden = dict.fromkeys(session.execute(private).scalars(), PRIVATE_CHANNEL)
    return {row.id: row.name for row in rows} | hidden


def _held(row: Any) -> RoleHeld:
    return RoleHeld(**{**row, "role": Role(row["role"])})


def roles(session: Session, incident_id: int) -> list[RoleHeld]:
    """Every role held in the incident, now and before, in the order they were taken."""
    rows = session.execute(
        select(role_held).where(role_held.c.incident_id == incident_id).order_by(role_held.c.id)
    ).mappings()
    return [_held(row) for row in rows]


def holder(session: Session, incident_id: int, role: Role) -> RoleHeld | None:
    """Who holds the role now."""
    row = (
        session.execute(
            select(role_held).where(
                role_held.c.incident_id == incident_id,
                role_held.c.role == role.value,
                role_held.c.until_at.is_(None),
            )
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else _held(row)


def commanders(session: Session, incident_ids: Iterable[int]) -> dict[int, Person]:
    """Who commands each of these incidents now, or did last, by incident id."""
    rows = session.execute(
        select(role_held.c.incident_id, role_held.c.person)
        .where(role_held.c.incident_id.in_(list(incident_ids)), role_held.c.role == Role.COMMANDER.value)
        .order_by(role_held.c.id)
    ).all()
    last = {row.incident_id: row.person for row in rows}
    found = known(session, last.values())
    return {incident_id: found.get(one) or Person(one, one) for incident_id, one in last.items()}


def hand_over(session: Session, incident_id: int, role: Role, to: str, now: datetime) -> None:
    """End the role for whoever holds it and give it to `to`."""
    session.execute(_END_ROLE, {"of": incident_id, "which": role.value, "at": now})
    session.execute(
        _TAKE_ROLE, {"incident_id": incident_id, "role": role.value, "person": to, "since_at": now}
    )


def join(session: Session, incident_id: int, person_id: str, now: datetime) -> bool:
    """Note that a person is in the incident's channel. False when they were already."""
    if insert_once(session, responder, incident_id=incident_id, person=person_id, joined_at=now) is not None:
        return True
    came_back = session.execute(
        update(responder)
        .where(
            responder.c.incident_id == incident_id,
            responder.c.person == person_id,
            responder.c.left_at.is_not(None),
        )
        .values(left_at=None)
        .returning(responder.c.id)
    ).one_or_none()
    return came_back is not None


def leave(session: Session, incident_id: int, person_id: str, now: datetime) -> bool:
    """Note that a person left the channel. False when they were not in it."""
    gone = session.execute(
        update(responder)
        .where(
            responder.c.incident_id == incident_id,
            responder.c.person == person_id,
            responder.c.left_at.is_(None),
        )
        .values(left_at=now)
        .returning(responder.c.id)
    ).one_or_none()
    return gone is not None


def responders(session: Session, incident_id: int) -> list[Responder]:
    """Everyone who was in the channel, in the order they came."""
    rows = session.execute(
        select(responder).where(responder.c.incident_id == incident_id).order_by(responder.c.id)
    ).mappings()
    return [Responder(**row) for row in rows]


def is_in(session: Session, incident_id: int, person_id: str) -> bool:
    """True while the person is in the incident's channel."""
    return (
        session.execute(
            select(responder.c.id).where(
                responder.c.incident_id == incident_id,
                responder.c.person == person_id,
                responder.c.left_at.is_(None),
            )
        ).one_or_none()
        is not None
    )
