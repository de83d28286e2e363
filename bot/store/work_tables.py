"""The tables of durable work: what Slack must be told, how far the telling got, and who may speak.

The words of `state` and the index conditions must stay as they are written here: an index with a
condition is only used by a query that says the same words.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text, text

from bot.store.metadata import metadata
from bot.store.types import BigKey, UtcDateTime

work = Table(
    "work",
    metadata,
    Column("id", BigKey, primary_key=True),
    #: Which sender delivers it.
    Column("kind", String(64), nullable=False),
    #: Items of one key are delivered one after another, by id; keys do not wait for each other.
    Column("key", String(255), nullable=False),
    Column("args", JSON, nullable=False),
    #: What makes a second asking the same work.
    Column("dedup_key", String(255), nullable=True, unique=True),
    #: open, running, done, set_aside or cancelled.
    Column("state", String(16), nullable=False),
    Column("next_at", UtcDateTime, nullable=False),
    #: Times it was claimed. Together with `owner` it is the fence: see outbox.hold.
    Column("attempts", Integer, nullable=False, default=0),
    #: host:pid:random of the postman that holds it.
    Column("owner", String(255), nullable=True),
    Column("lease_until", UtcDateTime, nullable=True),
    Column("last_error", Text, nullable=True),
    Column("incident_id", BigInteger, nullable=True, index=True),
    #: Slack id of the person to tell when it cannot be delivered, and the channel they asked in.
    Column("asked_by", String(32), nullable=True),
    Column("asked_in", String(32), nullable=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, nullable=True),
    #: When the present row of failures began; NULL after every step that went well.
    Column("first_failed_at", UtcDateTime, nullable=True),
    # Ids order the work of a key, so SQLite must not hand out a deleted one again.
    sqlite_autoincrement=True,
)

# Done rows are most of the table; the claim reads only these few.
_LIVE = text("state IN ('open', 'running')")
Index("ix_work_live_key", work.c.key, work.c.id, sqlite_where=_LIVE, postgresql_where=_LIVE)
Index("ix_work_live_next_at", work.c.next_at, sqlite_where=_LIVE, postgresql_where=_LIVE)
Index("ix_work_finished_at", work.c.finished_at)

# The order of a key rests on this: two replicas cannot both hold one of its items.
_RUNNING = text("state = 'running'")
Index("uq_work_running_key", work.c.key, unique=True, sqlite_where=_RUNNING, postgresql_where=_RUNNING)

work_step = Table(
    "work_step",
    metadata,
    Column("work_id", ForeignKey("work.id", ondelete="CASCADE"), primary_key=True),
    #: Stored, so it is API: a name that was deployed is never changed.
    Column("name", String(128), primary_key=True),
    #: Slack may have been told. NULL again when it surely was not.
    Column("started_at", UtcDateTime, nullable=True),
    #: The answer is here and what follows from it was written down.
    Column("finished_at", UtcDateTime, nullable=True),
    #: With `finished_at` NULL: Slack answered, what follows from it failed and is still to do.
    Column("result", JSON(none_as_null=True), nullable=True),
)

#: Slack said 429: nobody calls the method before `open_at`, in any replica.
gate = Table(
    "gate",
    metadata,
    Column("method", String(128), primary_key=True),
    Column("open_at", UtcDateTime, nullable=False),
)
