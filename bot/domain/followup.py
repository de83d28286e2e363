"""Follow-ups: work left for afterwards. Lessons: what is to be remembered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class FollowUpState(StrEnum):
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


@dataclass(frozen=True)
class FollowUp:
    id: int
    incident_id: int
    #: Short number within the incident.
    number: int
    #: Slack mrkdwn.
    text: str
    #: Slack id, or None: nobody has it yet.
    owner: str | None
    due_on: date | None
    state: FollowUpState
    created_at: datetime
    created_by: str
    #: Its owner is not reminded before that day.
    snoozed_until: date | None = None
    #: The last occasion (bot/domain/reminder.py) on which the owner was reminded.
    reminded_on: date | None = None
    #: Web address of the same work elsewhere.
    link: str | None = None
    #: When it was marked done or dropped; None while open, and when that was before Lantern noted it.
    settled_at: datetime | None = None
    #: Who did: a Slack id, or the kind of the tracker ("github") where that closed its issue; None when not noted.
    settled_by: str | None = None
    #: The project it is sent to, "github:acme/web"; None while nobody asked.
    tracker: str | None = None
    #: Of its issue: "OPS-12"; None until there is one.
    tracker_key: str | None = None
    #: What its issue carries, so that it is found and not made twice.
    tracker_mark: str | None = None
    #: When it was first asked for.
    tracker_asked_at: datetime | None = None
    #: What the tracker said last (bot/domain/tracker.py), and when.
    tracker_state: str | None = None
    tracker_state_at: datetime | None = None


class LessonKind(StrEnum):
    """`improvement` is a change to make for good; the others say how the response went."""

    IMPROVEMENT = "improvement"
    WENT_WELL = "went-well"
    WENT_BADLY = "went-badly"
    LUCKY = "lucky"


@dataclass(frozen=True)
class Lesson:
    id: int
    incident_id: int
    kind: LessonKind
    #: Slack mrkdwn.
    text: str
    created_at: datetime
    created_by: str
