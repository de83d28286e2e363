"""INSERT that yields to a row that is already there, on both engines."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert_once(session: Session, table: Table, **values: Any) -> Any | None:
    """Insert and give the row; None when a unique constraint already holds one like it.

    On PostgreSQL a rival transaction that holds the same key is waited for, so None is final.
    RETURNING tells which it was: rowcount after ON CONFLICT cannot be trusted there.
    """
    if session.get_bind().dialect.name == "postgresql":
        postgres = postgresql.insert(table).values(**values).on_conflict_do_nothing().returning(*table.c)
        return session.execute(postgres).one_or_none()
    lite = sqlite.insert(table).values(**values).on_conflict_do_nothing().returning(*table.c)
    return session.execute(lite).one_or_none()


def insert_or_update(session: Session, table: Table, key: str, **values: Any) -> None:
    """Insert, or overwrite the row that has the same `key`."""
    rest = {name: value for name, value in values.items() if name != key}
    if session.get_bind().dialect.name == "postgresql":
        postgres = postgresql.insert(table).values(**values)
        session.execute(postgres.on_conflict_do_update(index_elements=[key], set_=rest))
        return
    lite = sqlite.insert(table).values(**values)
    session.execute(lite.on_conflict_do_update(index_elements=[key], set_=rest))
