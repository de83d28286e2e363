"""People, the roles they hold in an incident, and when they joined it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    COMMANDER = "commander"
    SCRIBE = "scribe"
    COMMS_LEAD = "comms lead"


@dataclass(frozen=True)
class Person:
    """A Slack user as Lantern last saw them."""

    #: Slack user id (U… or W…).
    id: str
    name: str
    #: IANA zone name, "" when Slack did not say.
    tz: str = ""
    is_bot: bool = False
    is_deleted: bool = False
    seen_at: datetime | None = None


@dataclass(frozen=True)
class RoleHeld:
    """One person holding one role for one span; `until_at` is None while they hold it."""

    id: int
    incident_id: int
    role: Role
    person: str
    since_at: datetime
    until_at: datetime | None = None


@dataclass(frozen=True)
class Responder:
    """A person in the incident's channel."""

    id: int
    incident_id: int
    person: str
    joined_at: datetime
    left_at: datetime | None = None
