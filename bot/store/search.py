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
    f"SELECT id, {FACTS} FROM incident WHERE {{facts}} "  # noqa: S608 (constants)
    "UNION ALL SELECT incident_id, min(number) FROM entry WHERE undone_at IS NULL AND {text} GROUP BY incident_id "
    f"UNION ALL SELECT incident_id, {LESSONS} + min(id) FROM lesson WHERE {{text}} GROUP BY incident_id"
)
_LITE = text(
    "SELECT rowid >> 32, min(rowid & 4294967295) FROM words WHERE words MATCH :wanted GROUP BY rowid >> 32"
)
_LITE_PIECE = text(_EVERYWHERE.format(facts=f"{_FACTS_TEXT} LIKE :wanted", text="text LIKE :wanted"))
_POSTGRES = text(
    _EVERYWHERE.format(
        facts=f"lantern_words({_FACTS_TEXT}) @@ to_tsquery('pg_catalog.simple', :wanted)",
        text="lantern_words(text) @@ to_tsquery('pg_catalog.simple', :wanted)",
    )
)
# To look whether words stand beside each other, the index would cut every text that holds them all anew.
_POSTGRES_NAME = text(
    _EVERYWHERE.format(
        facts=f"lantern_words({_FACTS_TEXT}) @@ to_tsquery('pg_catalog.simple', :wanted) AND {_FACTS_TEXT} ~* :name",
        text="lantern_words(text) @@ to_tsquery('pg_catalog.simple', :wanted) AND text ~* :name",
    )
)
_POSTGRES_PIECE = text(_EVERYWHERE.format(facts=f"{_FACTS_TEXT} ILIKE :wanted", text="text ILIKE :wanted"))


def _lite(term: Term) -> str:
    return " OR ".join(f'"{form}"{" *" if term.is_prefix else ""}' for form in term.forms)


def _asked(session: Session, term: Term) -> tuple[TextClause, dict[str, str]]:
    """The statement and what it asks for. Forms are letters, digits and blanks: nothing of them is syntax anywhere."""
    is_lite = session.dialect.name == "sqlite"
    if term.is_piece:
        # No index of words holds it: every text is read.
        return (_LITE_PIECE if is_lite else _POSTGRES_PIECE), {"wanted": f"%{term.forms[0]}%"}
    if is_lite:
        return _LITE, {"wanted": _lite(term)}
    words = term.forms[0].split()
    if len(words) > 1:
        beside = "[^[:alnum:]]+".join(words)
        name = f"(^|[^[:alnum:]]){beside}($|[^[:alnum:]])"
        return _POSTGRES_NAME, {"wanted": " & ".join(f"'{word}'" for word in words), "name": name}
    return _POSTGRES, {
        "wanted": " | ".join(f"'{form}'{':*' if term.is_prefix else ''}" for form in term.forms)
    }


def holding(session: Session, term: Term) -> dict[int, int]:
    """Incident id -> the first slot in which it holds the term: FACTS, an entry's number, or LESSONS + a lesson's id.

    Every incident counts, also private ones: whoever asks filters them by who may see them.
    """
    statement, asked = _asked(session, term)
    found: dict[int, int] = {}
    for incident_id, slot in session.execute(statement, asked).all():
        found[incident_id] = min(slot, found.get(incident_id, slot))
    return found


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
