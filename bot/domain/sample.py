"""A made-up incident with something in every section, to try a template on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bot.domain.followup import FollowUp, FollowUpState, Lesson, LessonKind
from bot.domain.incident import Incident, Severity, Status
from bot.domain.people import Person, Responder, Role, RoleHeld
from bot.domain.postmortem import Facts, Update
from bot.domain.runbook import Outcome, Run, RunStep
from bot.domain.timeline import Entry, Image, Kind, Source


def sample_facts() -> Facts:
    """Give the facts of an incident that never was: one entry of each kind, and one of everything else."""
    opened = datetime(2024, 3, 9, 23, 10, tzinfo=UTC)
    later = opened + timedelta(hours=3)
    entries = tuple(
        Entry(
            id=place,
            incident_id=1,
            number=place,
            kind=kind,
            text=f"An entry of the kind {kind}, by <@U1>.",
            happened_at=opened + timedelta(minutes=7 * place),
            recorded_at=opened + timedelta(minutes=20 * place),
            author="U1",
            recorded_by="U2",
            source=Source.COMMAND,
            permalink="https://example.com/message",
            images=(Image("F1", "graph.png", "https://example.com/graph.png", "image/png"),),
            edits=1,
        )
        for place, kind in enumerate(Kind, start=1)
    )
    step = RunStep(1, 1, 0, "Compare the servers", Outcome.DONE, "They differ.", "U1", opened)
    return Facts(
        incident=Incident(
            id=1,
            number=1,
            title="A sample incident",
            severity=Severity.SEV2,
            status=Status.CLOSED,
            is_private=False,
            is_drill=True,
            opened_at=opened,
            opened_by="U1",
        ),
        entries=entries,
        roles=(
            RoleHeld(1, 1, Role.COMMANDER, "U1", opened, later),
            RoleHeld(2, 1, Role.COMMANDER, "U2", later),
        ),
        responders=(Responder(1, 1, "U1", opened, later), Responder(2, 1, "U2", opened)),
        follow_ups=(
            FollowUp(1, 1, 1, "Review the weights.", "U1", date(2024, 4, 1), FollowUpState.OPEN, later, "U1"),
            FollowUp(2, 1, 2, "Test the weights.", None, None, FollowUpState.OPEN, later, "U1"),
        ),
        lessons=tuple(
            Lesson(place, 1, kind, f"A lesson of the kind {kind}.", later, "U1")
            for place, kind in enumerate(LessonKind, start=1)
        ),
        updates=(Update(1, 1, "A fix is going out.", opened + timedelta(minutes=30), "U1"),),
        runs=(Run(1, 1, "lb-sample", "A sample runbook", "0a1b2c3d4e5f", 2, opened, "U1", later, (step,)),),
        people={"U1": Person("U1", "Ana"), "U2": Person("U2", "Ben")},
        channels={"C1": "general"},
        team_zone="Europe/Berlin",
    )
