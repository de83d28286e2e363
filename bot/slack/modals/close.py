"""The form that closes an incident and asks for what is still missing."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any

from bot.domain.incident import Incident
from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.blocks import context, modal, text_input
from bot.slack.door import Answer, Door, said
from bot.usecases.followup import Wanted, wanted_lines
from bot.usecases.postmortem import Closing, close_incident

CALLBACK = "close"


def view(about: Incident, zone: tzinfo | None) -> dict[str, Any]:
    """The form, filled with what is known."""

    def shown(moment: datetime | None) -> str:
        return (
            ""
            if moment is None
            else f"{moment.astimezone(zone or UTC):%Y-%m-%d %H:%M}" + ("" if zone else " UTC")
        )

    began, ended = shown(about.impact_started_at), shown(about.impact_ended_at)
    blocks = [
        context("What you leave empty stands as “unknown” in the postmortem, and can be said later."),
        text_input(
            "impact",
            "Impact",
            initial=about.impact or "",
            is_long=True,
            placeholder="Half of the logins failed",
        ),
        text_input(
            "cause",
            "Root cause",
            initial=about.cause or "",
            is_long=True,
            placeholder="The load balancer sent most of the traffic to one server",
        ),
        text_input(
            "fix",
            "Resolution",
            initial=about.fix or "",
            is_long=True,
            placeholder="The intended weights are back",
        ),
        text_input(
            "began",
            "When did the impact begin?",
            initial=began,
            placeholder="yesterday 10:00, 2024-06-03 10:00 UTC",
            hint="In your own zone, or with the zone behind it.",
            longest=100,
        ),
        text_input("ended", "When did it end?", initial=ended, placeholder="01:00", longest=100),
        text_input(
            "work",
            "What is left to be done?",
            is_long=True,
            placeholder="Review the weights before each deployment @ana by friday",
            hint="One follow-up a line, with its owner and its day where they are known.",
        ),
    ]
    memory = {"incident": str(about.id), "began": began, "ended": ended}
    return modal(CALLBACK, f"Close {about.slug}"[:24], blocks, memory=memory, submit="Close incident")


def submitted(door: Door, ask: Ask) -> Answer:
    closing = Closing(
        impact=ask.values.get("impact", ""),
        cause=ask.values.get("cause", ""),
        fix=ask.values.get("fix", ""),
        impact_started_at=_moment(door, ask, "began"),
        impact_ended_at=_moment(door, ask, "ended"),
        follow_ups=_work(door, ask),
    )
    try:
        done = close_incident(door.desk, ask.number("incident"), closing, by=ask.user, origin=ask.origin)
    except Refusal as refusal:
        raise Refusal(refusal.sentence, field=refusal.field or "ended") from refusal
    return said(done)


def _moment(door: Door, ask: Ask, field: str) -> datetime | None:
    typed = ask.values.get(field, "").strip()
    # What was not touched is known already, with its seconds.
    if not typed or typed == ask.memory.get(field):
        return None
    try:
        return door.read_moment(ask, typed)
    except Refusal as refusal:
        raise Refusal(refusal.sentence, field=field) from refusal


def _work(door: Door, ask: Ask) -> tuple[Wanted, ...]:
    try:
        return wanted_lines(door.desk, ask.values.get("work", ""), by=ask.user)
    except Refusal as refusal:
        raise Refusal(refusal.sentence, field="work") from refusal
