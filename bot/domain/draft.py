"""The draft of a postmortem: what the document says, already decided and already worded.

Every `str` and every `Words` here is safe to set into Markdown as it stands: nothing of Slack's markup is
left, and nothing an author typed can turn into a heading, a tag or a link to somewhere odd. A template
only arranges.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """What somebody wrote, twice: without any markup, and as escaped Markdown. Prints as the Markdown."""

    plain: str
    markdown: str

    def __str__(self) -> str:
        return self.markdown

    @property
    def is_block(self) -> bool:
        """True when the Markdown needs a paragraph of its own: several lines, a fence or a quotation."""
        return "\n" in self.markdown or self.markdown.startswith(("```", "~~~", ">"))


UNKNOWN = Words("unknown", "**unknown**")


@dataclass(frozen=True)
class EntryLine:
    """One timeline entry."""

    number: int
    #: "#12", a link when the message behind the entry is known.
    ref: str
    kind: str
    #: "June 3, 2024 10:30" (UTC).
    moment: str
    #: "10:30" (UTC).
    clock: str
    #: "12:30 CEST" in the team's zone, "" when that is the same clock as UTC.
    local: str
    author: Words
    text: Words
    #: "written down June 4, 2024 09:00 UTC by Ben; edited twice"; "" when there is nothing to remark.
    remark: str
    #: Markdown links.
    images: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    """The entries of one UTC day."""

    #: "Monday, June 3, 2024".
    title: str
    entries: tuple[EntryLine, ...]


@dataclass(frozen=True)
class Group:
    """The entries of some kinds, in order of time."""

    title: str
    entries: tuple[EntryLine, ...]
    #: The sentence to print when there are none.
    nothing: str


@dataclass(frozen=True)
class FollowUpLine:
    number: int
    text: Words
    #: "Ana" or "no owner yet".
    owner: Words
    #: "June 20, 2024" or "no due date".
    due: str
    state: str


@dataclass(frozen=True)
class KeyTimeLine:
    name: str
    #: "June 3, 2024 10:30 UTC (12:30 CEST)" or "**unknown**".
    when: str
    definition: str
    #: "entry #3" or "not known".
    source: str


@dataclass(frozen=True)
class MeasureLine:
    name: str
    #: "30 minutes", "**unknown**", or a sentence on why there is no number.
    value: str
    definition: str


@dataclass(frozen=True)
class RoleLine:
    role: str
    person: Words
    #: "June 3, 2024 10:31 - 16:00 UTC".
    span: str
    #: "taken over from Ana", or "".
    remark: str


@dataclass(frozen=True)
class ResponderLine:
    person: Words
    #: "joined June 3, 2024 10:31 UTC, left ...".
    span: str


@dataclass(frozen=True)
class StepLine:
    """What came of one runbook step."""

    #: From 1, as people count.
    number: int
    title: Words
    outcome: str
    by: Words
    when: str
    #: Empty words when no note was left.
    note: Words


@dataclass(frozen=True)
class RunBlock:
    """One following of a runbook."""

    id: Words
    title: Words
    revision: str
    #: Commit of the checkout that the runbook came from, short; "" outside one.
    commit: str
    by: Words
    #: "June 3, 2024 22:40 - 23:10 UTC".
    span: str
    #: "2 of 3 steps have an outcome: 1 done, 1 skipped".
    tally: str
    steps: tuple[StepLine, ...]
    #: "Steps 2 and 5 have no outcome.", "" when every step has one.
    missing: str


@dataclass(frozen=True)
class UpdateLine:
    when: str
    by: Words
    text: Words


@dataclass(frozen=True)
class Question:
    """Something the facts do not say."""

    text: str
    #: What to type to answer it, in backticks.
    answer: str


@dataclass(frozen=True)
class Draft:
    """All that a postmortem says, in the order it is read."""

    slug: str
    title: Words
    severity: str
    status: str
    #: Sentences to set above everything: a drill, a private incident.
    banners: tuple[str, ...]

    #: "June 3, 2024 10:00 - June 4, 2024 01:00 (UTC): 15 hours".
    duration: str
    #: The same ends in the team's zone, "" when that is the same clock as UTC.
    duration_local: str
    impact: Words
    cause: Words
    fix: Words

    #: The sentence on the zones that the timeline's clocks are in.
    clocks: str
    days: tuple[Day, ...]
    #: Detection, Actions taken, Misleading paths, Escalation, Resolution.
    groups: tuple[Group, ...]
    #: Mitigation, then resolution: what stopped the pain, and what mended it.
    remedies: tuple[Group, ...]

    improvements: tuple[Words, ...]
    follow_ups: tuple[FollowUpLine, ...]

    key_times: tuple[KeyTimeLine, ...]
    measures: tuple[MeasureLine, ...]

    opened_by: Words
    roles: tuple[RoleLine, ...]
    responders: tuple[ResponderLine, ...]
    runs: tuple[RunBlock, ...]
    updates: tuple[UpdateLine, ...]
    #: Entries of kind comms.
    comms: Group
    went_well: tuple[Words, ...]
    went_badly: tuple[Words, ...]
    lucky: tuple[Words, ...]
    questions: tuple[Question, ...]

    @property
    def entry_count(self) -> int:
        return sum(len(day.entries) for day in self.days)

    @property
    def dead_end_count(self) -> int:
        return sum(entry.kind == "dead end" for day in self.days for entry in day.entries)
