"""The postmortem as JSON for other programs: the facts, the sections and how far the review is.

docs/exports.md and docs/postmortem-1.schema.json say what each field means. Within a version fields are added, never
renamed or taken away. Moments are RFC 3339 in UTC; unknown is null, never a guess.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from bot.domain import markup
from bot.domain.export import Export, Picture
from bot.domain.incident import Incident
from bot.domain.metrics import key_times, measure
from bot.domain.postmortem import Facts
from bot.domain.runbook import Run
from bot.domain.timeline import Entry

NAME = "json"
SUFFIX = ".json"
MEDIA_TYPE = "application/json"
TITLE = "JSON"

FORMAT, VERSION = "lantern-postmortem", 1


def write(export: Export) -> bytes:
    """The file. The same export gives the same bytes."""
    return (json.dumps(told(export), ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def told(export: Export) -> dict[str, Any]:
    """All that the file says."""
    facts, revision, review = export.facts, export.revision, export.review
    entries = sorted(facts.entries, key=lambda one: (one.happened_at, one.number))
    return {
        "format": FORMAT,
        "version": VERSION,
        "incident": _incident(facts),
        "postmortem": {
            "revision": revision.number,
            "compiled_at": _at(revision.created_at),
            "compiled_by": revision.created_by,
            "sha256": revision.digest,
            "sections": [
                {
                    "key": one.key,
                    "title": one.title,
                    "markdown": one.text,
                    "is_written_by_people": one.is_human,
                }
                for one in revision.sections
            ],
        },
        "review": {
            "state": review.state.value,
            "changed_at": _at(review.changed_at),
            "changed_by": review.changed_by or None,
            "published_revision": review.published_revision,
            "published_at": _at(review.published_at),
            "reason": review.reason,
        },
        "timeline": [_entry(one, export) for one in entries],
        **_key_times(facts),
        **_people(facts),
        "follow_ups": [
            {
                "number": one.number,
                **_said(one.text, facts),
                "owner": one.owner,
                "due_on": _at(one.due_on),
                "state": one.state.value,
                "created_at": _at(one.created_at),
                "created_by": one.created_by,
                "settled_at": _at(one.settled_at),
                "link": one.link,
            }
            for one in facts.follow_ups
        ],
        "lessons": [{"kind": one.kind.value, **_said(one.text, facts)} for one in facts.lessons],
        "updates": [
            {"sent_at": _at(one.sent_at), "sent_by": one.sent_by, **_said(one.text, facts)}
            for one in facts.updates
        ],
        "runbooks": [_run(one, facts) for one in facts.runs],
    }


def _at(moment: datetime | date | None) -> str | None:
    """2024-06-03T10:30:00Z, or 2024-06-20 for a day."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return None if moment is None else moment.isoformat()


def _said(text: str | None, facts: Facts, name: str = "text") -> dict[str, str | None]:
    """What somebody typed, as plain words with names, and as Slack has it."""
    if text is None or not text.strip():
        return {name: None, f"{name}_mrkdwn": None}
    return {name: _plain(text, facts), f"{name}_mrkdwn": markup.relabelled(text, facts.channels)}


def _plain(text: str, facts: Facts) -> str:
    names: Mapping[str, str] = {id: known.name for id, known in facts.people.items() if known.name}
    return markup.to_plain(text, names, facts.channels)


def _incident(facts: Facts) -> dict[str, Any]:
    about: Incident = facts.incident
    return {
        "number": about.number,
        "name": about.slug,
        "title": " ".join(_plain(about.title, facts).split()),
        "severity": about.severity.value,
        "status": about.status.value,
        "service": about.service,
        "is_private": about.is_private,
        "is_drill": about.is_drill,
        "opened_at": _at(about.opened_at),
        "opened_by": about.opened_by,
        "closed_at": _at(about.closed_at),
        "impact_started_at": _at(about.impact_started_at),
        "impact_ended_at": _at(about.impact_ended_at),
        **_said(about.impact, facts, "impact"),
        **_said(about.cause, facts, "cause"),
        **_said(about.fix, facts, "fix"),
        "channel_id": about.channel_id,
        "channel_name": about.channel_name,
    }


def _entry(entry: Entry, export: Export) -> dict[str, Any]:
    return {
        "number": entry.number,
        "kind": entry.kind.value,
        "happened_at": _at(entry.happened_at),
        "recorded_at": _at(entry.recorded_at),
        "author": entry.author,
        "recorded_by": entry.recorded_by,
        "source": entry.source.value,
        "edits": entry.edits,
        **_said(entry.text, export.facts),
        "permalink": entry.permalink or None,
        "images": [_image(one) for one in export.pictures if one.entry.number == entry.number],
    }


def _image(picture: Picture) -> dict[str, Any]:
    stored = picture.stored
    is_kept = stored is not None and not stored.note
    return {
        "name": picture.name,
        "permalink": picture.permalink or None,
        "mimetype": stored.mimetype if stored is not None and is_kept else None,
        "bytes": stored.size if stored is not None and is_kept else None,
        "sha256": stored.sha256 if stored is not None and is_kept else None,
    }


def _key_times(facts: Facts) -> dict[str, Any]:
    bots = {person for person, known in facts.people.items() if known.is_bot}
    entries = sorted(facts.entries, key=lambda one: (one.happened_at, one.number))
    times = key_times(facts.incident, entries, facts.roles, bots)
    spans = measure(times, (one.sent_at for one in facts.updates), (one.happened_at for one in entries))
    return {
        "key_times": [
            {"name": one.name, "at": _at(one.at), "source": one.source or None, "definition": one.definition}
            for one in times.in_order()
        ],
        "measures": [
            {
                "name": one.name,
                "seconds": one.value.total_seconds() if one.value is not None else None,
                "definition": one.definition,
            }
            for one in spans
        ],
    }


def _people(facts: Facts) -> dict[str, Any]:
    return {
        "people": {
            person: {"name": known.name or None, "is_bot": known.is_bot}
            for person, known in sorted(facts.people.items())
        },
        "roles": [
            {
                "role": one.role.value,
                "person": one.person,
                "since_at": _at(one.since_at),
                "until_at": _at(one.until_at),
            }
            for one in facts.roles
        ],
        "responders": [
            {"person": one.person, "joined_at": _at(one.joined_at), "left_at": _at(one.left_at)}
            for one in facts.responders
        ],
    }


def _run(run: Run, facts: Facts) -> dict[str, Any]:
    return {
        "id": run.runbook_id,
        "title": run.runbook_title,
        "revision": run.revision,
        "commit": run.commit,
        "steps": run.steps_total,
        "started_at": _at(run.started_at),
        "started_by": run.started_by,
        "ended_at": _at(run.ended_at),
        "outcomes": [
            {
                "step": one.position + 1,
                "title": one.title,
                "outcome": one.outcome.value,
                "by": one.by,
                "at": _at(one.at),
                **_said(one.note, facts, "note"),
            }
            for one in sorted(run.outcomes, key=lambda one: one.position)
        ],
    }
