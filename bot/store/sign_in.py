"""Who is signed in to the console: rows to `SignIn` and back. Tokens are kept as digests only."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from bot.domain.sign_in import SignIn
from bot.store.db import Session
from bot.store.tables import sign_in

_FIELDS = tuple(field.name for field in fields(SignIn))
_COLUMNS = tuple(sign_in.c[name] for name in _FIELDS)


def _sign_in(row: Any) -> SignIn:
    return SignIn(**dict(zip(_FIELDS, row, strict=True)))


def add(
    session: Session, *, digest: str, person: str, browser: str, began_at: datetime, ends_at: datetime
) -> None:
    """Add a sign-in of somebody whom Slack has just vouched for."""
    session.execute(
        insert(sign_in).values(
            digest=digest,
            person=person,
            browser=browser[:200],
            began_at=began_at,
            ends_at=ends_at,
            asked_at=began_at,
        )
    )


def find(session: Session, digest: str, now: datetime) -> SignIn | None:
    """The sign-in with this digest, unless it has ended."""
    row = session.execute(
        select(*_COLUMNS).where(sign_in.c.digest == digest, sign_in.c.ends_at > now)
    ).one_or_none()
    return None if row is None else _sign_in(row)


def of(session: Session, person: str, now: datetime) -> list[SignIn]:
    """Every sign-in of a person that goes on, newest first."""
    rows = session.execute(
        select(*_COLUMNS)
        .where(sign_in.c.person == person, sign_in.c.ends_at > now)
        .order_by(sign_in.c.id.desc())
    )
    return [_sign_in(row) for row in rows]


def asked(session: Session, person: str, now: datetime) -> None:
    """Slack has said just now that the person is a full member."""
    session.execute(update(sign_in).where(sign_in.c.person == person).values(asked_at=now))


def end(session: Session, digest: str) -> None:
    session.execute(delete(sign_in).where(sign_in.c.digest == digest))


def end_all(session: Session, person: str) -> int:
    """End every sign-in of a person, and give how many."""
    ended = delete(sign_in).where(sign_in.c.person == person).returning(sign_in.c.id)
    return len(session.execute(ended).all())


def sweep(session: Session, now: datetime) -> None:
    """Forget what has ended."""
    session.execute(delete(sign_in).where(sign_in.c.ends_at <= now))
