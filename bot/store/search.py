"""Where words stand: which incidents hold a term, and the texts that hold it.

SQLite keeps an FTS5 table in step by triggers, PostgreSQL three GIN indexes (migration 0003,
docs/decisions/0011-words.md). Undone entries and former words are in neither.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import TextClause, select, text

from bot.domain.terms import Term
from bot.store.db import Session
from bot.store.tables import entry, lesson

#: Slot of what an incident itself says: title, impact, cause, fix, service. Above it: the numbers of entries.
FACTS = 0
#: Above it: the ids of lessons.
LESSONS = 2**31

# Word for word the expression of the index on PostgreSQL.
_FACTS_TEXT = (
    "title || ' ' || coalesce(impact, '') || ' ' || coalesce(cause, '') || ' ' || coalesce(fix, '') "
    "|| ' ' || coalesce(service, '')"
)
_EVERYWHERE = (
    f"SELECT incident_id, min(slot) FROM (SELECT id AS incident_id, {FACTS} AS slot FROM incident "  # noqa: S608 (constants)
    "WHERE {facts} "
    "UNION ALL SELECT incident_id, number FROM entry WHERE undone_at IS NULL AND {text} "
    f"UNION ALL SELECT incident_id, {LESSONS} + id FROM lesson WHERE {{text}}"
    ") AS found GROUP BY incident_id"
)
_LITE = text(
    "SELECT rowid >> 32, min(rowid & 4294967295) FROM words WHERE words MATCH :wanted GROUP BY rowid >> 32"
)
_LITE_PIECE = text(
    _EVERYWHERE.format(facts=f"instr(lower({_FACTS_TEXT}), :wanted)", text="instr(lower(text), :wanted)")
)
_POSTGRES = text(
    _EVERYWHERE.format(
        facts=f"lantern_words({_FACTS_TEXT}) @@ to_tsquery('pg_catalog.simple', :wanted)",
        text="lantern_words(text) @@ to_tsquery('pg_catalog.simple', :wanted)",
    )
)
_POSTGRES_PIECE = text(
    _EVERYWHERE.format(
        facts=f"strpos(lower({_FACTS_TEXT}), :wanted) > 0", text="strpos(lower(text), :wanted) > 0"
    )
)


def _lite(term: Term) -> str:
    forms = (form.replace('"', '""') for form in term.forms)
    return " OR ".join(f'"{form}"{" *" if term.is_prefix else ""}' for form in forms)


def _postgres(term: Term) -> str:
    forms = (form.replace("\\", "\\\\").replace("'", "''") for form in term.forms)
    return " | ".join(f"'{form}'{':*' if term.is_prefix else ''}" for form in forms)


def _asked(session: Session, term: Term) -> tuple[TextClause, str]:
    is_lite = session.dialect.name == "sqlite"
    if term.is_piece:
        return (_LITE_PIECE if is_lite else _POSTGRES_PIECE), term.forms[0]
    return (_LITE, _lite(term)) if is_lite else (_POSTGRES, _postgres(term))


def holding(session: Session, term: Term) -> dict[int, int]:
    """Incident id -> the first slot in which it holds the term: FACTS, an entry's number, or LESSONS + a lesson's id.

    Every incident counts, also private ones: whoever asks filters them by who may see them.
    """
    statement, wanted = _asked(session, term)
    return {int(row[0]): int(row[1]) for row in session.execute(statement, {"wanted": wanted})}


def texts(session: Session, incident_id: int, slots: Collection[int]) -> dict[int, str]:
    """Slot -> what stands there (mrkdwn), for entries and lessons of an incident."""
    found: dict[int, str] = {}
    numbers = [slot for slot in slots if FACTS < slot < LESSONS]
    if numbers:
        rows: Any = session.execute(
            select(entry.c.number, entry.c.text).where(
                entry.c.incident_id == incident_id, entry.c.number.in_(numbers), entry.c.undone_at.is_(None)
            )
        )
        found.update({row.number: row.text for row in rows})
    ids = [slot - LESSONS for slot in slots if slot >= LESSONS]
    if ids:
        rows = session.execute(select(lesson.c.id, lesson.c.text).where(lesson.c.id.in_(ids)))
        found.update({LESSONS + row.id: row.text for row in rows})
    return found
