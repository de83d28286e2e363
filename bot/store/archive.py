"""Incidents as rows without the numbers that only this database knows, and back: what an archive holds.

A row's own `id` is left out. What points at another row says that row's place among the rows of its table within the
incident instead, so that rows keep their meaning in any database. Tables and columns are found by themselves: a table
that belongs to an incident by its foreign keys belongs into the archive.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Date, LargeBinary, Select, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.domain.refusals import Refusal
from bot.store.db import Session
from bot.store.metadata import metadata
from bot.store.once import insert_or_update
from bot.store.tables import channel, counter, incident, person
from bot.store.types import UtcDateTime

#: (table, row): a row of an incident, as JSON holds it.
Record = tuple[str, dict[str, Any]]


def belonging() -> list[tuple[Table, Column[Any]]]:
    """Every table whose rows belong to one incident, with the column that leads there, parents first."""
    found: dict[str, tuple[Table, Column[Any]]] = {}
    for table in metadata.sorted_tables:
        for column in table.c:
            parents = {key.column.table.name for key in column.foreign_keys}
            if table.name not in found and parents & {incident.name, *found}:
                found[table.name] = (table, column)
    return list(found.values())


def numbers(session: Session) -> list[int]:
    """The numbers of all incidents."""
    return list(session.execute(select(incident.c.number).order_by(incident.c.number)).scalars())


def records(session: Session, number: int) -> list[Record]:
    """All rows of an incident, its own first; [] when there is none of that number."""
    about = session.execute(select(incident).where(incident.c.number == number)).mappings().one_or_none()
    if about is None:
        return []
    found: list[Record] = [(incident.name, _row(incident, about, {}))]
    #: table -> id -> place
    places: dict[str, dict[int, int]] = {incident.name: {about["id"]: 0}}
    for table, link in belonging():
        rows = list(session.execute(_of(table, link, places)).mappings())
        if "id" in table.c:
            places[table.name] = {row["id"]: place for place, row in enumerate(rows)}
        found += [(table.name, _row(table, row, places)) for row in rows]
    return found


def _of(table: Table, link: Column[Any], places: Mapping[str, dict[int, int]]) -> Select[Any]:
    (key,) = link.foreign_keys
    parents = places[key.column.table.name]
    return select(table).where(link.in_(list(parents))).order_by(*(table.primary_key.columns))


def _row(table: Table, row: Mapping[Any, Any], places: Mapping[str, dict[int, int]]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for column in table.c:
        parent = _parent(column)
        value = row[column.name]
        if column.name == "id" or parent == incident.name:
            continue
        kept[column.name] = places[parent][value] if parent and value is not None else _written(value)
    return kept


def _parent(column: Column[Any]) -> str:
    return next((key.column.table.name for key in column.foreign_keys), "")


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _read(column: Column[Any], value: Any) -> Any:
    if value is None or isinstance(column.type, JSON):
        return value
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    if isinstance(column.type, Date):
        return date.fromisoformat(value)
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value, validate=True)
    return value


def put(session: Session, found: Iterable[Record]) -> None:
    """Add an incident's rows. Raises Refusal when they cannot be those of one, or collide with what is here."""
    known = {table.name: table for table, _ in belonging()} | {incident.name: incident}
    ids: dict[str, list[int]] = {}
    try:
        for name, row in found:
            if name not in known:
                raise Refusal(
                    f"The archive has rows of `{name}`, which this version does not know. Use a newer Lantern."
                )
            table = known[name]
            values = dict(_values(table, row, ids))
            made = session.execute(insert(table).values(**values).returning(*table.primary_key.columns)).one()
            if "id" in table.c:
                ids.setdefault(name, []).append(int(made[0]))
    except (KeyError, IndexError, TypeError, ValueError) as broken:
        raise Refusal(
            f"The archive is damaged: a row cannot be read ({type(broken).__name__}). Export it again."
        ) from None
    except IntegrityError:
        raise Refusal(
            "What the archive holds is here already in another incident: its channel, or a message that became an "
            "entry. Import it into a database of its own."
        ) from None
    highest = max(numbers(session), default=0)
    if not session.execute(select(counter.c.value).where(counter.c.name == "incident")).one_or_none():
        session.execute(insert(counter).values(name="incident", value=highest))
    session.execute(
        update(counter).where(counter.c.name == "incident", counter.c.value < highest).values(value=highest)
    )


def _values(table: Table, row: Mapping[str, Any], ids: Mapping[str, list[int]]) -> Iterator[tuple[str, Any]]:
    for column in table.c:
        parent = _parent(column)
        if parent == incident.name:
            yield column.name, ids[parent][0]
        elif column.name in row:
            value = row[column.name]
            yield (
                column.name,
                _id_at(ids[parent], value) if parent and value is not None else _read(column, value),
            )


def _id_at(ids: list[int], place: Any) -> int:
    if not isinstance(place, int) or place < 0:
        raise ValueError(place)
    return ids[place]


def named_in(session: Session, texts: Iterable[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """People and channels whose ids stand anywhere in the texts, in the order of their ids."""
    whole = "\n".join(texts)
    return tuple(  # type: ignore[return-value]
        [
            {name: _written(value) for name, value in row.items()}
            for row in session.execute(select(table).order_by(table.c.id)).mappings()
            if row["id"] in whole
        ]
        for table in (person, channel)
    )


def put_named(session: Session, people: Iterable[dict[str, Any]], channels: Iterable[dict[str, Any]]) -> None:
    """Add people and channels; those that are known here stay as they are known here."""
    for table, rows in ((person, people), (channel, channels)):
        known = set(session.execute(select(table.c.id)).scalars())
        for row in rows:
            if row["id"] not in known:
                values = {column.name: _read(column, row.get(column.name)) for column in table.c}
                insert_or_update(session, table, "id", **values)


def as_line(record: Record) -> str:
    """A record as one line of JSON; the same record is the same bytes."""
    return json.dumps(
        {"table": record[0], "row": record[1]}, sort_keys=True, ensure_ascii=False, separators=(",", ":")
    )


def from_line(line: str) -> Record:
    """A record back from its line. Raises Refusal."""
    try:
        read = json.loads(line)
        return str(read["table"]), dict(read["row"])
    except (ValueError, KeyError, TypeError):
        raise Refusal("The archive is damaged: a line is no record. Export it again.") from None
