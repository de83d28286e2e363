"""The postmortem: the facts it is made of, and (compile_draft, below) what is said about them.

Every sentence comes from an entry or a field. Unknown is said, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.domain.followup import FollowUp, Lesson
from bot.domain.incident import Incident
from bot.domain.people import Person, Responder, RoleHeld
from bot.domain.runbook import Run
from bot.domain.timeline import Entry


@dataclass(frozen=True)
class Update:
    """What stakeholders were told."""

    id: int
    incident_id: int
    #: Slack mrkdwn.
    text: str
    sent_at: datetime
    sent_by: str


@dataclass(frozen=True)
class Revision:
    """One compiled text of a postmortem. Revision 1 is the draft made at closing."""

    id: int
    incident_id: int
    #: 1, 2, 3 ... within the incident.
    number: int
    markdown: str
    #: SHA-256 (hex) of `markdown`.
    digest: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True)
class Facts:
    """All that is known about one incident: the only input of a draft."""

    incident: Incident
    #: Live entries (not undone), in any order.
    entries: tuple[Entry, ...]
    roles: tuple[RoleHeld, ...]
    responders: tuple[Responder, ...]
    follow_ups: tuple[FollowUp, ...]
    lessons: tuple[Lesson, ...]
    updates: tuple[Update, ...]
    runs: tuple[Run, ...]
    #: Slack id -> person, for everyone named anywhere.
    people: dict[str, Person]
    #: Slack id -> channel name, for channels named anywhere.
    channels: dict[str, str]
    #: IANA name of the team's zone, e.g. "Europe/Berlin"; "UTC" when none is set.
    team_zone: str = "UTC"
