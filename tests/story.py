"""The facts of two incidents for the postmortem's tests: one well told, one of which nothing is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from bot.domain.followup import FollowUp, FollowUpState, Lesson, LessonKind
from bot.domain.incident import Incident, Severity, Status
from bot.domain.people import Person, Responder, Role, RoleHeld
from bot.domain.postmortem import Facts, Update
from bot.domain.runbook import Outcome, Run, RunStep
from bot.domain.timeline import Entry, Image, Kind, Source


def june(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2024, 6, day, hour, minute, second, tzinfo=UTC)


def entry(
    number: int, kind: Kind, happened_at: datetime, text: str, author: str = "UANA", **changes: object
) -> Entry:
    made = Entry(number, 1, number, kind, text, happened_at, happened_at, author, author, Source.COMMAND)
    return replace(made, **changes)


PEOPLE = {
    "UANA": Person("UANA", "Ana", "America/New_York"),
    "UBEN": Person("UBEN", "Ben", "Europe/Berlin"),
    "UCHLOE": Person("UCHLOE", "Chloe", "Asia/Kolkata"),
    "UBOT": Person("UBOT", "Lantern", is_bot=True),
}


def login_outage(team_zone: str = "UTC") -> Facts:
    """The login service fails for fifteen hours because its load balancer is set up wrongly."""
    incident = Incident(
        id=1,
        number=42,
        title="Logins fail across the web stack",
        severity=Severity.SEV1,
        status=Status.CLOSED,
        is_private=False,
        is_drill=False,
        opened_at=june(3, 10, 32),
        opened_by="UANA",
        impact="Failed logins rose by 50 % and user engagement fell by 30 %.",
        cause="The load balancer distributed traffic unevenly, so one login server became the bottleneck.",
        fix="The misconfiguration of the load balancer was corrected; every server gets its share.",
        impact_started_at=june(3, 10),
        impact_ended_at=june(4, 1),
        closed_at=june(4, 9, 30),
    )
    graph = Image(
        "F1", "failed-logins.png", "https://example.slack.com/files/UANA/F1/failed-logins.png", "image/png"
    )
    entries = (
        entry(1, Kind.NOTE, june(3, 10, 32), "Incident opened as SEV1", source=Source.AUTOMATIC),
        entry(
            2,
            Kind.DETECTION,
            june(3, 10, 30),
            "The monitoring alert for abnormal login activity fired.",
            recorded_at=june(3, 10, 34),
            permalink="https://example.slack.com/archives/C1/p1717410600000100",
            images=(graph,),
        ),
        entry(
            3, Kind.IMPACT, june(3, 10, 40), "Half again as many logins fail as on a usual Monday.", "UBEN"
        ),
        entry(4, Kind.HYPOTHESIS, june(3, 10, 55), "The login service cannot reach its database.", "UBEN"),
        entry(5, Kind.ACTION, june(3, 11, 10), "Looked through the logs of every backend server.", "UBEN"),
        entry(
            6,
            Kind.DEAD_END,
            june(3, 14, 20),
            "Database performance: slow queries, locks and connections are all as usual.",
            "UBEN",
            recorded_at=june(3, 15, 5),
        ),
        entry(7, Kind.HYPOTHESIS, june(3, 14, 30), "The last release broke the application code.", edits=1),
        entry(
            8, Kind.DEAD_END, june(3, 18, 45), "Application code: rolled back on one server, nothing changed."
        ),
        entry(9, Kind.ESCALATION, june(3, 19, 0), "<@UCHLOE> joins for infrastructure and networking."),
        entry(10, Kind.COMMS, june(3, 19, 15), "Support has a text for the status page.", recorded_by="UBEN"),
        entry(
            11, Kind.FINDING, june(3, 22, 50), "One of four login servers gets 87 % of the traffic.", "UCHLOE"
        ),
        entry(
            12,
            Kind.RUNBOOK,
            june(3, 23, 5),
            "Step 1: shares compared",
            "UCHLOE",
            source=Source.RUNBOOK,
        ),
        entry(
            13, Kind.DECISION, june(3, 23, 20), "Take the overloaded server down to a tenth of its weight."
        ),
        entry(
            14, Kind.MITIGATION, june(3, 23, 40), "Weight set to 10; failed logins begin to fall.", "UCHLOE"
        ),
        entry(15, Kind.RESOLUTION, june(4, 0, 55), "Corrected weights are live on both balancers.", "UCHLOE"),
    )
    update = "Update: We have found the cause; logins are recovering."
    noted = entry(16, Kind.COMMS, june(3, 23, 45), update, "UBEN", source=Source.AUTOMATIC)
    return Facts(
        incident=incident,
        entries=(*entries, noted),
        roles=(
            RoleHeld(1, 1, Role.COMMANDER, "UANA", june(3, 10, 32), june(3, 20)),
            RoleHeld(2, 1, Role.COMMANDER, "UBEN", june(3, 20), june(4, 9, 30)),
            RoleHeld(3, 1, Role.SCRIBE, "UBEN", june(3, 10, 45), june(4, 9, 30)),
        ),
        responders=(
            Responder(1, 1, "UANA", june(3, 10, 32)),
            Responder(2, 1, "UBEN", june(3, 10, 36)),
            Responder(3, 1, "UCHLOE", june(3, 19, 2), june(4, 2)),
            Responder(4, 1, "UBOT", june(3, 10, 32)),
        ),
        follow_ups=_follow_ups(),
        lessons=_lessons(),
        updates=(
            Update(1, 1, "Logins fail for many users. We are looking for the cause.", june(3, 11), "UANA"),
            Update(2, 1, "We have found the cause; logins are recovering.", june(3, 23, 45), "UBEN"),
        ),
        runs=_runs(),
        people=dict(PEOPLE),
        channels={"C1": "general"},
        team_zone=team_zone,
    )


def _runs() -> tuple[Run, ...]:
    outcomes = (
        RunStep(
            1, 1, 0, "Compare each server's share", Outcome.DONE, "auth1 has 87 %.", "UCHLOE", june(3, 23, 5)
        ),
        RunStep(2, 1, 1, "Look at health checks", Outcome.SKIPPED, "", "UCHLOE", june(3, 23, 10)),
        RunStep(
            3, 1, 2, "Set the weight", Outcome.FAILED, "No access to the socket.", "UCHLOE", june(3, 23, 30)
        ),
        RunStep(4, 1, 2, "Set the weight", Outcome.DONE, "With sudo.", "UCHLOE", june(3, 23, 40)),
    )
    started, ended = june(3, 22, 55), june(4, 0, 55)
    run = Run(
        1, 1, "lb-uneven-traffic", "Uneven traffic", "3f9c2ab01d77", 5, started, "UCHLOE", ended, outcomes
    )
    return (run,)


def _follow_ups() -> tuple[FollowUp, ...]:
    made: tuple[tuple[str, str | None, date | None], ...] = (
        ("Review the load balancer's configuration against good practice.", "UCHLOE", date(2024, 6, 14)),
        ("Write test scripts for the load balancer's configuration.", "UCHLOE", date(2024, 6, 28)),
        ("Add load balancer performance to monitoring.", "UBEN", None),
        ("Go through the incident response procedure with everybody.", "UANA", date(2024, 6, 10)),
        ("Put load balancer misconfiguration into the incident plan.", None, None),
    )
    return tuple(
        FollowUp(number, 1, number, text, owner, due_on, FollowUpState.OPEN, june(4, 9), "UANA")
        for number, (text, owner, due_on) in enumerate(made, start=1)
    )


def _lessons() -> tuple[Lesson, ...]:
    made = (
        (LessonKind.IMPROVEMENT, "Guard the load balancer's configuration against mistakes."),
        (LessonKind.IMPROVEMENT, "Test load balancer changes automatically before they are deployed."),
        (LessonKind.IMPROVEMENT, "Let monitoring notice abnormal traffic patterns quickly."),
        (LessonKind.WENT_WELL, "The alert came within half an hour."),
        (LessonKind.WENT_BADLY, "Two dead ends took eight hours."),
        (LessonKind.LUCKY, "The second balancer could be changed without a restart."),
    )
    return tuple(
        Lesson(place, 1, kind, text, june(4, 9), "UANA") for place, (kind, text) in enumerate(made, 1)
    )


def nothing_known() -> Facts:
    """An incident that was opened and closed, and nobody answered anything."""
    incident = Incident(
        id=2,
        number=7,
        title="Something is slow",
        severity=Severity.SEV3,
        status=Status.CLOSED,
        is_private=True,
        is_drill=False,
        opened_at=june(5, 8),
        opened_by="UANA",
        closed_at=june(5, 9),
    )
    return Facts(incident, (), (), (), (), (), (), (), dict(PEOPLE), {})
