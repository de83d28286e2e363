"""A runbook (a page), its steps (its lines), and a run (one following of it in an incident)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

#: The read-only checks a runbook may name; the bot runs nothing else.
CHECKS = frozenset(
    {
        "lb.summary",
        "lb.traffic_share",
        "lb.server_states",
        "lb.queue",
        "lb.errors",
        "lb.limits",
        "lb.health_checks",
        "lb.latency",
        "lb.tls",
        "lb.config_drift",
    }
)


class Phase(StrEnum):
    """The sections of a runbook that hold steps, in their order."""

    CONFIRM = "Confirm"
    MITIGATE = "Mitigate"
    VERIFY = "Verify"
    PREVENT = "Prevent"


@dataclass(frozen=True)
class Command:
    """A fenced shell block: for a person to copy. The bot never runs it."""

    #: First word of the fence: sh, bash or console.
    language: str
    #: Second word of the fence (haproxy, nginx, envoy, aws, kubernetes, ...), "" for any.
    balancer: str
    text: str


@dataclass(frozen=True)
class Check:
    """A `yaml check` block: a read-only check from the bot's fixed list."""

    run: str
    params: dict[str, str] = field(default_factory=dict)
    #: figure -> condition, e.g. {"off_target_share": "< 0.10"}
    expect: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    #: GitHub anchor of its heading without the number people write before it,
    #: "compare-each-servers-share-with-its-fair-share".
    id: str
    title: str
    phase: Phase
    #: The step's own words (Markdown), without its fences and fields.
    prose: str
    commands: tuple[Command, ...] = ()
    check: Check | None = None
    #: Fields as written: Expect, If so, If not, Escalate, Undo, Changes production, Note, Owner.
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Runbook:
    """One file of runbooks/, read. Frozen together with its revision when it is pulled into an incident."""

    #: File name without .md, the word people type.
    id: str
    title: str
    #: The paragraph under the title: what it is and whom it hurts (Markdown).
    summary: str
    steps: tuple[Step, ...]
    #: First 12 hex digits of the SHA-256 of the file's bytes.
    revision: str
    #: Commit of the git checkout that the file was read from, in hex digits; "" outside one.
    commit: str = ""
    area: str = ""
    services: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    owner: str = ""
    escalate_to: str = ""
    words: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    reviewed_on: date | None = None
    #: Days after which `reviewed_on` is too long ago.
    review_every: int = 180
    #: Markdown of the Background section.
    background: str = ""
    #: Bullet points of the Symptoms section (Markdown).
    symptoms: tuple[str, ...] = ()
    #: Markdown of the Links section's list items.
    links: tuple[str, ...] = ()


class Outcome(StrEnum):
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class RunStep:
    """What came of one step of a run."""

    id: int
    run_id: int
    #: Position of the step in the runbook, from 0.
    position: int
    title: str
    outcome: Outcome
    note: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Run:
    """One following of a runbook in an incident, pinned to the revision it started with."""

    id: int
    incident_id: int
    runbook_id: str
    runbook_title: str
    revision: str
    #: How many steps the runbook had.
    steps_total: int
    started_at: datetime
    started_by: str
    ended_at: datetime | None = None
    outcomes: tuple[RunStep, ...] = ()
    #: Commit of the git checkout that the runbook was read from; None outside one.
    commit: str | None = None

    @property
    def source(self) -> str:
        """Which words were followed: "revision 0a1b2c3d4e5f", and with a checkout ", commit 1f2e3d4c5b6a"."""
        commit = f", commit {short(self.commit)}" if self.commit else ""
        return f"revision {self.revision}{commit}"


def short(commit: str) -> str:
    """A commit as people write it: its first 12 hex digits."""
    return commit[:12]
