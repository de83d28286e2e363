"""How far a postmortem is: a draft, in review, published; and what it lacks before it may be published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.followup import FollowUp, FollowUpState
from bot.domain.incident import Incident, Severity, Status
from bot.domain.sections import Sections, in_question
from bot.domain.wording import counted, listed


class ReviewState(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in review"
    PUBLISHED = "published"


@dataclass(frozen=True)
class Review:
    """How far one postmortem is. Moments are aware UTC."""

    incident_id: int
    state: ReviewState
    changed_at: datetime | None = None
    changed_by: str = ""
    published_revision: int | None = None
    published_at: datetime | None = None
    #: SHA-256 (hex) of what the facts gave when it was published.
    facts_digest: str | None = None
    #: Why it was published with measures that lack an owner or a date.
    reason: str | None = None


@dataclass(frozen=True)
class RevisionLine:
    """One revision without its text, for a list of them."""

    number: int
    digest: str
    created_at: datetime
    created_by: str


def unfinished(follow_ups: Iterable[FollowUp]) -> list[FollowUp]:
    """Open follow-ups that nobody has, or that have no date: most of those are never done."""
    open_ones = (one for one in follow_ups if one.state is FollowUpState.OPEN)
    return [one for one in open_ones if one.owner is None or one.due_on is None]


def why_not(about: Incident, sections: Sections, follow_ups: Iterable[FollowUp], reason: str) -> str:
    """What must happen before it can be published, in a sentence with what to type; "" when nothing."""
    if about.status is not Status.CLOSED:
        return f"{about.slug} is {about.status.value}: close it before its postmortem is published, `/incident close`."
    asked = in_question(sections)
    if asked:
        names = listed([f"“{one.title or 'The beginning'}”" for one in asked])
        return (
            f"In {names} both people and the facts have changed the same lines. "
            "Say which stand, on the postmortem's page or with `/postmortem keep mine` or `/postmortem keep facts`."
        )
    missing = unfinished(follow_ups)
    if about.severity in (Severity.SEV1, Severity.SEV2) and missing and not reason:
        numbers = listed([str(one.number) for one in missing])
        many = f"{counted(len(missing), 'follow-up')} {'has' if len(missing) == 1 else 'have'}"
        return (
            f"{many} no owner or no date, and this is a {about.severity.value}: {numbers}. "
            f"For example `/incident follow-up {missing[0].number} @ana by friday`, "
            "or say why it is published all the same: `/postmortem publish because the team decides on Monday`."
        )
    return ""
