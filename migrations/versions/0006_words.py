"""An index of the words of incidents, entries, lessons and what people wrote in postmortems. Only adds: triggers and
indexes keep it in step also with what an older Lantern writes.

See docs/decisions/0011-words.md. A migration that makes one of these tables anew on SQLite (batch_alter_table) must
make its triggers again.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
#: The oldest Lantern, by its schema, that works with this one: see bot/store/schema.py.
works_with = "0001"

#: What an incident says of itself.
FACTS = (
    "{0}title || ' ' || coalesce({0}impact, '') || ' ' || coalesce({0}cause, '') || ' ' || coalesce({0}fix, '') "
    "|| ' ' || coalesce({0}service, '')"
)
#: Slack writes & < > like this; they are no words.
UNESCAPED = "replace(replace(replace({0}, '&amp;', ' '), '&lt;', ' '), '&gt;', ' ')"
#: On SQLite: what people wrote in the sections of a revision. What was compiled stands in entries and facts.
WRITTEN = (
    "coalesce((SELECT group_concat(json_extract(value, '$.human'), ' ') FROM json_each({0}sections)), '')"
)
#: The revision before, of those that know sections.
BEFORE = (
    "incident_id = new.incident_id AND number = (SELECT max(number) FROM postmortem_revision "
    "WHERE incident_id = new.incident_id AND number < new.number AND sections IS NOT NULL)"
)

#: On SQLite: table -> (row id of the index, its text, whether the row counts, columns that change that).
#: The row id holds the incident above 32 bits, and below: 0 its facts, an entry's number, 2^31 + a lesson's id,
#: 2^32 - 1 its postmortem.
INDEXED = {
    "incident": (
        "({0}id << 32)",
        UNESCAPED.format(FACTS),
        "1",
        "title, impact, cause, fix, service",
    ),
    "entry": (
        "(({0}incident_id << 32) + {0}number)",
        UNESCAPED.format("{0}text"),
        "{0}undone_at IS NULL",
        "text, undone_at",
    ),
    "lesson": (
        "(({0}incident_id << 32) + 2147483648 + {0}id)",
        UNESCAPED.format("{0}text"),
        "1",
        "text",
    ),
}

#: For PostgreSQL: what no word holds, and Slack's & < >. Its own parser would keep addresses and file names whole.
MARKS = "&(amp|lt|gt);|[][!\"#$%&()*+,./:;<=>?@\\\\^_`{|}~\u00a0\u00ab\u00bb\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2026\u2192'-]"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _postgresql() -> None:
    # Not in SQL: that would be inlined, its cost forgotten, and a thousand rows read word by word instead of an index.
    # Not "parallel safe": to start a worker takes longer than it saves. A tsvector holds a megabyte.
    op.execute(
        "CREATE FUNCTION lantern_words(text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE COST 1000 AS "
        "$$ BEGIN RETURN to_tsvector('pg_catalog.simple', "
        f"regexp_replace(left($1, 100000), $re${MARKS}$re$, ' ', 'g')); END $$"
    )
    op.execute(
        "CREATE FUNCTION lantern_written(json) RETURNS text LANGUAGE plpgsql IMMUTABLE COST 1000 AS "
        "$$ BEGIN RETURN (SELECT string_agg(one ->> 'human', ' ') FROM json_array_elements($1) AS one); END $$"
    )
    op.execute(f"CREATE INDEX ix_incident_words ON incident USING gin (lantern_words({FACTS.format('')}))")
    op.execute("CREATE INDEX ix_entry_words ON entry USING gin (lantern_words(text)) WHERE undone_at IS NULL")
    op.execute("CREATE INDEX ix_lesson_words ON lesson USING gin (lantern_words(text))")
    op.execute(
        "CREATE INDEX ix_postmortem_revision_words ON postmortem_revision "
        "USING gin (lantern_words(lantern_written(sections))) WHERE sections IS NOT NULL"
    )


def _sqlite() -> None:
    op.execute(
        "CREATE VIRTUAL TABLE words USING fts5(text, content='', columnsize=0, "
        'tokenize="unicode61 remove_diacritics 0")'
    )
    for table, (key, text, counts, columns) in INDEXED.items():
        op.execute(
            f"INSERT INTO words(rowid, text) SELECT {key.format('')}, {text.format('')} FROM {table} "  # noqa: S608
            f"WHERE {counts.format('')}"
        )
        add, drop = (
            f"INSERT INTO words(rowid, text) SELECT {key.format('new.')}, {text.format('new.')} "
            f"WHERE {counts.format('new.')};",
            # A contentless table is told what it held.
            f"INSERT INTO words(words, rowid, text) SELECT 'delete', {key.format('old.')}, {text.format('old.')} "
            f"WHERE {counts.format('old.')};",
        )
        op.execute(f"CREATE TRIGGER {table}_words_added AFTER INSERT ON {table} BEGIN {add} END")
        op.execute(
            f"CREATE TRIGGER {table}_words_changed AFTER UPDATE OF {columns} ON {table} BEGIN {drop} {add} END"
        )
        op.execute(f"CREATE TRIGGER {table}_words_dropped AFTER DELETE ON {table} BEGIN {drop} END")
    _sqlite_postmortems()


def _sqlite_postmortems() -> None:
    key = "(incident_id << 32) + 4294967295"
    op.execute(
        f"INSERT INTO words(rowid, text) SELECT {key}, {WRITTEN.format('')} FROM postmortem_revision AS kept "  # noqa: S608
        "WHERE number = (SELECT max(number) FROM postmortem_revision AS other "
        "WHERE other.incident_id = kept.incident_id AND other.sections IS NOT NULL)"
    )
    # Revisions are only ever added; the newest one counts.
    op.execute(
        "CREATE TRIGGER postmortem_revision_words_added AFTER INSERT ON postmortem_revision "  # noqa: S608
        "WHEN new.sections IS NOT NULL BEGIN "
        f"INSERT INTO words(words, rowid, text) SELECT 'delete', {key}, {WRITTEN.format('')} "
        f"FROM postmortem_revision WHERE {BEFORE}; "
        f"INSERT INTO words(rowid, text) SELECT (new.incident_id << 32) + 4294967295, {WRITTEN.format('new.')}; END"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in (*INDEXED, "postmortem_revision"):
            op.execute(f"DROP INDEX ix_{table}_words")
        op.execute("DROP FUNCTION lantern_words(text)")
        op.execute("DROP FUNCTION lantern_written(json)")
        return
    for table in INDEXED:
        for deed in ("added", "changed", "dropped"):
            op.execute(f"DROP TRIGGER {table}_words_{deed}")
    op.execute("DROP TRIGGER postmortem_revision_words_added")
    op.execute("DROP TABLE words")
