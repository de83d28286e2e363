"""A desk without a house: use cases on a database, with nobody to tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.domain.timeline import Kind, Source
from bot.settings import Settings, shipped
from bot.store import schema
from bot.store.db import Database
from bot.usecases.desk import Desk
from bot.usecases.incident import open_incident
from bot.usecases.postmortem import Closing, close_incident
from bot.usecases.timeline import log_entry
from bot.wiring import build_desk
from tests.blank import lay_out

ANA, BEN = "U0ANA00000", "U0BEN00000"


@contextmanager
def desk_on(url: str, **settings: Any) -> Iterator[Desk]:
    """A desk on this database, which gets its tables."""
    lay_out(url)
    db = Database(url)
    try:
        schema.migrate(db, shipped("migrations"))
        yield build_desk(Settings(database_url=url, **settings), db, ring=lambda: None)
    finally:
        db.close()


def opened(desk: Desk, title: str, *entries: str, by: str = ANA, **more: Any) -> int:
    """Open an incident with these entries, and give its id."""
    found = open_incident(desk, title, by=by, **more).incident_id
    assert found is not None
    for text in entries:
        log_entry(desk, found, text, by=by, source=Source.COMMAND, kind=Kind.FINDING)
    return found


def closed(desk: Desk, title: str, *entries: str, cause: str = "", fix: str = "", **more: Any) -> int:
    """The same, closed with its cause and fix."""
    found = opened(desk, title, *entries, **more)
    close_incident(desk, found, Closing(cause=cause, fix=fix), by=more.get("by", ANA))
    return found
