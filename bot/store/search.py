"""Where words stand: which incidents hold a term, and the texts that hold it.

SQLite keeps an FTS5 table in step by triggers, PostgreSQL has four GIN indexes (docs/decisions/0011-words.md). Undone
entries, former words and former revisions of a postmortem are in neither.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import TextClause, select, text

from bot.domain.terms import Term
from bot.store import postmortem
from bot.store.db import Session
from bot.store.tables import entry, lesson

#: Slot of what an incident itself says: title, impact, cause, fix, service. Above it: the numbers of entries.
FACTS = 0
#: Above it: the ids of lessons.
LESSONS = 2**31
#: What people wrote in the newest revision of its postmortem.
POSTMORTEM = 2**32 - 1

# Word for word the expressions of the indexes on PostgreSQL.
_FACTS_TEXT = (
    "title || ' ' || coalesce(impact, '') || ' ' || coalesce(cause, '') || ' ' || coalesce(fix, '') "
    "|| ' ' || coalesce(service, '')"
)
_POSTGRES_WRITTEN = "lantern_written(sections)"
_LITE_WRITTEN = "(SELECT group_concat(json_extract(value, '$.human'), ' ') FROM json_each(sections))"


def _everywhere(holds: str, written: str) -> TextClause:
    """A statement that looks at every place; `holds` says of a text whether it holds what is wanted."""
    return text(
        f"SELECT id, {FACTS} FROM incident WHERE {holds.format(_FACTS_TEXT)} "  # noqa: S608 (constants)
        "UNION ALL SELECT incident_id, min(number) FROM entry "
        f"WHERE undone_at IS NULL AND {holds.format('text')} GROUP BY incident_id "
        f"UNION ALL SELECT incident_id, {LESSONS} + min(id) FROM lesson "
        f"WHERE {holds.format('text')} GROUP BY incident_id "
        f"UNION ALL SELECT incident_id, {POSTMORTEM} FROM postmortem_revision AS kept "
        f"WHERE sections IS NOT NULL AND {holds.format(written)} "
        "AND number = (SELECT max(number) FROM postmortem_revision AS other "
        "WHERE other.incident_id = kept.incident_id AND other.sections IS NOT NULL)"
    )


_LITE = text(
    "SELECT rowid >> 32, min(rowid & 4294967295) FROM words WHERE words MATCH :wanted GROUP BY rowid >> 32"
)
_LITE_PIECE = _everywhere("({0}) LIKE :wanted", _LITE_WRITTEN)
_HELD = "lantern_words({0}) @@ to_tsquery('pg_catalog.simple', :wanted)"
_POSTGRES = _everywhere(_HELD, _POSTGRES_WRITTEN)
# To look whether words stand beside each other, the index would cut every text that holds them all anew.
_POSTGRES_NAME = _everywhere(f"{_HELD} AND ({{0}}) ~* :name", _POSTGRES_WRITTEN)
_POSTGRES_PIECE = _everywhere("({0}) LIKE :wanted", _POSTGRES_WRITTEN)
_POSTGRES_CASED_PIECE = _everywhere("({0}) ILIKE :wanted", _POSTGRES_WRITTEN)


def _lite(term: Term) -> str:
    return " OR ".join(f'"{form}"{" *" if term.is_prefix else ""}' for form in term.forms)


def _asked(session: Session, term: Term) -> tuple[TextClause, dict[str, str]]:
    """The statement and what it asks for. Forms are letters, digits and blanks: nothing of them is syntax anywhere."""
    is_lite = session.dialect.name == "sqlite"
    if term.is_piece:
        # No index of words holds it: every text is read. ILIKE takes ten times as long as LIKE.
        is_cased = term.forms[0].upper() != term.forms[0]
        statement = _LITE_PIECE if is_lite else _POSTGRES_CASED_PIECE if is_cased else _POSTGRES_PIECE
        return statement, {"wanted": f"%{term.forms[0]}%"}
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
    """Incident id -> the first slot in which it holds the term: FACTS, an entry's number, LESSONS + a lesson's id,
    or POSTMORTEM.

    Every incident counts, also private ones: whoever asks filters them by who may see them.
    """
    statement, asked = _asked(session, term)
    found: dict[int, int] = {}
    for incident_id, slot in session.execute(statement, asked).all():
        found[incident_id] = min(slot, found.get(incident_id, slot))
    return found


def texts(session: Session, incident_id: int, slots: Collection[int]) -> dict[int, str]:
    """Slot -> what stands there, for entries and lessons (mrkdwn) and the postmortem (Markdown) of an incident."""
    found: dict[int, str] = {}
    numbers = [slot for slot in slots if FACTS < slot < LESSONS]
    if numbers:
        rows: Any = session.execute(
            select(entry.c.number, entry.c.text).where(
                entry.c.incident_id == incident_id, entry.c.number.in_(numbers), entry.c.undone_at.is_(None)
            )
        )
        found.update({row.number: row.text for row in rows})
    ids = [slot - LESSONS for slot in slots if LESSONS <= slot < POSTMORTEM]
    if ids:
        rows = session.execute(select(lesson.c.id, lesson.c.text).where(lesson.c.id.in_(ids)))
        found.update({LESSONS + row.id: row.text for row in rows})
    newest = postmortem.latest(session, incident_id) if POSTMORTEM in slots else None
    if newest is not None:
        found[POSTMORTEM] = "\n".join(one.human for one in newest.sections if one.human)
    return found
