"""The tables. Their names and columns are the words of docs/house.md."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from bot.store.metadata import metadata
from bot.store.types import BigKey, UtcDateTime

counter = Table(
    "counter",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

#: What has arrived and what was answered, so that a second delivery gets the first one's answer.
inbox = Table(
    "inbox",
    metadata,
    Column("origin", String(255), primary_key=True),
    Column("arrived_at", UtcDateTime, nullable=False, index=True),
    Column("answer", JSON, nullable=True),
)

incident = Table(
    "incident",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("severity", String(8), nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("is_private", Boolean, nullable=False),
    Column("is_drill", Boolean, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("opened_by", String(32), nullable=False),
    Column("channel_id", String(32), nullable=True, unique=True),
    Column("channel_name", String(80), nullable=True),
    Column("header_ts", String(32), nullable=True),
    Column("announced_in", String(32), nullable=True),
    Column("announced_ts", String(32), nullable=True),
    Column("draft_permalink", Text, nullable=True),
    Column("postmortem_bookmark", String(32), nullable=True),
    #: File id of the channel's canvas, when Lantern made it.
    Column("canvas_id", String(32), nullable=True),
    Column("is_archived", Boolean, nullable=False, default=False),
    Column("impact", Text, nullable=True),
    Column("cause", Text, nullable=True),
    Column("fix", Text, nullable=True),
    Column("impact_started_at", UtcDateTime, nullable=True),
    Column("impact_ended_at", UtcDateTime, nullable=True),
    Column("closed_at", UtcDateTime, nullable=True),
    Column("merged_into", BigInteger, nullable=True),
    #: Name of the service in the catalogue; NULL while nobody knows.
    Column("service", String(64), nullable=True),
    #: Raised by every change; tells the postman that a card it drew is old.
    Column("version", BigInteger, nullable=False, default=1),
    #: Highest numbers given out so far within the incident; they are never given twice.
    Column("last_entry", Integer, nullable=False, default=0),
    Column("last_follow_up", Integer, nullable=False, default=0),
    Column("last_revision", Integer, nullable=False, default=0),
)

entry = Table(
    "entry",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("happened_at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("author", String(32), nullable=False),
    Column("recorded_by", String(32), nullable=False),
    Column("source", String(16), nullable=False),
    Column("origin", String(255), nullable=True, unique=True),
    Column("permalink", Text, nullable=False, default=""),
    Column("images", JSON, nullable=False, default=list),
    Column("undone_at", UtcDateTime, nullable=True),
    Column("undone_by", String(32), nullable=True),
    Column("edits", Integer, nullable=False, default=0),
    #: ts of the channel message that shows the entry; NULL until the postman has posted it.
    Column("posted_ts", String(32), nullable=True),
    Column("is_shown", Boolean, nullable=False, default=True),
    UniqueConstraint("incident_id", "number"),
)
Index("ix_entry_unposted", entry.c.incident_id, entry.c.posted_ts)

entry_revision = Table(
    "entry_revision",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("entry_id", ForeignKey("entry.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("happened_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(32), nullable=False),
)

person = Table(
    "person",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", Text, nullable=False),
    Column("tz", String(64), nullable=False, default=""),
    Column("is_bot", Boolean, nullable=False, default=False),
    Column("is_deleted", Boolean, nullable=False, default=False),
    Column("seen_at", UtcDateTime, nullable=True),
)

channel = Table(
    "channel",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(80), nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
)

role_held = Table(
    "role_held",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("person", String(32), nullable=False),
    Column("since_at", UtcDateTime, nullable=False),
    Column("until_at", UtcDateTime, nullable=True),
)

responder = Table(
    "responder",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False),
    Column("person", String(32), nullable=False, index=True),
    Column("joined_at", UtcDateTime, nullable=False),
    Column("left_at", UtcDateTime, nullable=True),
    UniqueConstraint("incident_id", "person"),
)

follow_up = Table(
    "follow_up",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("owner", String(32), nullable=True, index=True),
    Column("due_on", Date, nullable=True),
    Column("state", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(32), nullable=False),
    Column("snoozed_until", Date, nullable=True),
    Column("reminded_on", Date, nullable=True),
    Column("link", Text, nullable=True),
    #: When it was marked done or dropped. Says something only while it is one of these.
    Column("settled_at", UtcDateTime, nullable=True),
    Column("settled_by", String(32), nullable=True),
    Column("tracker", String(255), nullable=True),
    Column("tracker_key", String(255), nullable=True, index=True),
    Column("tracker_mark", String(64), nullable=True),
    Column("tracker_asked_at", UtcDateTime, nullable=True),
    Column("tracker_state", String(16), nullable=True),
    Column("tracker_state_at", UtcDateTime, nullable=True),
    UniqueConstraint("incident_id", "number"),
)

lesson = Table(
    "lesson",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(32), nullable=False),
)

stakeholder_update = Table(
    "stakeholder_update",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("sent_by", String(32), nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("runbook_id", String(128), nullable=False),
    Column("runbook_title", Text, nullable=False),
    Column("revision", String(64), nullable=False),
    #: Commit of the git checkout that the runbook was read from.
    Column("git_commit", String(64), nullable=True),
    #: The whole runbook as it was when the run began: a later edit of the file changes nothing here.
    Column("snapshot", JSON, nullable=False),
    Column("steps_total", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("started_by", String(32), nullable=False),
    Column("ended_at", UtcDateTime, nullable=True),
    #: position (as text) -> ts of the step's message.
    Column("step_ts", JSON, nullable=False, default=dict),
)

run_step = Table(
    "run_step",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("title", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("note", Text, nullable=False, default=""),
    Column("by", String(32), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("run_id", "position"),
)

postmortem_revision = Table(
    "postmortem_revision",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("markdown", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(32), nullable=False),
    #: Section by section, with what was compiled beside what people wrote; NULL where all was compiled.
    Column("sections", JSON(none_as_null=True), nullable=True),
    UniqueConstraint("incident_id", "number"),
)

#: How far the postmortem is; no row is a draft.
postmortem = Table(
    "postmortem",
    metadata,
    Column("incident_id", ForeignKey("incident.id"), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_by", String(32), nullable=False),
    Column("published_revision", Integer, nullable=True),
    Column("published_at", UtcDateTime, nullable=True),
    #: SHA-256 (hex) of what the facts gave when it was published.
    Column("facts_digest", String(64), nullable=True),
    #: Why it was published with measures that lack an owner or a date.
    Column("reason", Text, nullable=True),
)

reading = Table(
    "reading",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False, index=True),
    Column("service", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("backend", String(128), nullable=False),
    Column("asked_by", String(32), nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("is_bad", Boolean, nullable=False),
    Column("is_judged", Boolean, nullable=False),
    Column("runbook_id", String(128), nullable=False),
    Column("shares", Text, nullable=False),
    Column("figures", JSON, nullable=False),
    #: What the balancer answered, and how the catalogue described it: enough to judge it again.
    Column("evidence", JSON, nullable=False),
)

#: An image of an entry, fetched from Slack once; or the note why it was not kept.
image = Table(
    "image",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("incident_id", ForeignKey("incident.id"), nullable=False),
    #: Slack's id of the file, by which entries name it.
    Column("file_id", String(64), nullable=False),
    Column("mimetype", String(32), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("note", Text, nullable=False),
    Column("fetched_at", UtcDateTime, nullable=False),
    Column("content", LargeBinary, nullable=True),
    UniqueConstraint("incident_id", "file_id"),
)

#: A browser that somebody signed in to the console with.
sign_in = Table(
    "sign_in",
    metadata,
    Column("id", BigKey, primary_key=True),
    #: SHA-256 of what the cookie holds: whoever reads the database cannot sign in with it.
    Column("digest", String(64), nullable=False, unique=True),
    Column("person", String(32), nullable=False, index=True),
    Column("browser", String(200), nullable=False, default=""),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
    #: When Slack last said that the person is still a full member.
    Column("asked_at", UtcDateTime, nullable=False),
)
