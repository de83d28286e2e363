"""An index of the words of incidents, entries and lessons. Only adds: a Lantern of 0001 keeps it in step too.

See docs/decisions/0011-words.md. A migration that makes one of these tables anew on SQLite
(batch_alter_table) must make its triggers again.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
#: The oldest Lantern, by its schema, that works with this one: see bot/store/schema.py.
works_with = "0001"

#: Column texts of an incident that say what it was.
FACTS = "{0}title || ' ' || coalesce({0}impact, '') || ' ' || coalesce({0}cause, '') || ' ' || coalesce({0}fix, '') || ' ' || coalesce({0}service, '')"
#: Slack writes & < > like this; they are no words.
UNESCAPED = "replace(replace(replace({0}, '&amp;', ' '), '&lt;', ' '), '&gt;', ' ')"
#: What no word holds, and Slack's & < >: PostgreSQL's own parser would keep addresses and file names whole.
MARKS = "&(amp|lt|gt);|[][!\"#$%&()*+,./:;<=>?@\\\\^_`{|}~\u00a0\u00ab\u00bb\u2013\u2014\u2018\u2019\u201c\u201d\u201e\u2026\u2192'-]"

#: table -> (row id of the index, its text, whether the row counts, columns that change that).
#: The row id holds the incident above 32 bits, and below: 0 its facts, an entry's number, 2^31 + a lesson's id.
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


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _postgresql() -> None:
    # Not in SQL: that would be inlined, its cost forgotten, and a thousand rows read word by word instead of an index.
    # Not "parallel safe": to start a worker takes longer than it saves.
    op.execute(
        "CREATE FUNCTION lantern_words(text) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE COST 1000 AS "
        "$$ BEGIN RETURN to_tsvector('pg_catalog.simple', "
        f"regexp_replace($1, $re${MARKS}$re$, ' ', 'g')); END $$"
    )
    op.execute(f"CREATE INDEX ix_incident_words ON incident USING gin (lantern_words({FACTS.format('')}))")
    op.execute("CREATE INDEX ix_entry_words ON entry USING gin (lantern_words(text)) WHERE undone_at IS NULL")
    op.execute("CREATE INDEX ix_lesson_words ON lesson USING gin (lantern_words(text))")


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


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in INDEXED:
            op.execute(f"DROP INDEX ix_{table}_words")
        op.execute("DROP FUNCTION lantern_words(text)")
        return
    for table in INDEXED:
        for deed in ("added", "changed", "dropped"):
            op.execute(f"DROP TRIGGER {table}_words_{deed}")
    op.execute("DROP TABLE words")
