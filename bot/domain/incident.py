"""An incident: its severity, its status, and the name of its channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Severity(StrEnum):
    SEV1 = "SEV1"
    SEV2 = "SEV2"
    SEV3 = "SEV3"
    SEV4 = "SEV4"


class Status(StrEnum):
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"

    @property
    def is_over(self) -> bool:
        """True when no work on the incident is expected any more."""
        return self in (Status.CLOSED, Status.CANCELLED, Status.MERGED)


@dataclass(frozen=True)
class Incident:
    """One incident, as it stands now. Moments are aware UTC; unknown is None, never a guess."""

    id: int
    #: The number people say: the 42 of `inc-0042`.
    number: int
    title: str
    severity: Severity
    status: Status
    is_private: bool
    is_drill: bool
    opened_at: datetime
    #: Slack id of the person who opened it.
    opened_by: str
    #: None until Slack has made the channel.
    channel_id: str | None = None
    channel_name: str | None = None
    #: ts of the header card in the channel.
    header_ts: str | None = None
    #: File id and permalink of the draft that was posted last.
    draft_permalink: str | None = None
    is_archived: bool = False
    impact: str | None = None
    cause: str | None = None
    fix: str | None = None
    impact_started_at: datetime | None = None
    impact_ended_at: datetime | None = None
    closed_at: datetime | None = None
    #: Incident number this one was merged into.
    merged_into: int | None = None
    #: Name of the service in the catalogue; None while nobody knows.
    service: str | None = None

    @property
    def slug(self) -> str:
        """The name people use for it: inc-0042."""
        return f"inc-{self.number:04d}"


@dataclass(frozen=True)
class Wanted:
    """Which incidents somebody wants to see; None is any."""

    is_over: bool | None = None
    severity: Severity | None = None
    status: Status | None = None
    service: str = ""
    #: Slack ids of whom took part; None for anybody, () for nobody that is known.
    people: tuple[str, ...] | None = None
    #: Opened at this moment or after it.
    since: datetime | None = None
    #: Opened before this moment.
    until: datetime | None = None
    #: Below this incident number: the next page.
    before: int | None = None
