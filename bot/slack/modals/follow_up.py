"""The form for a follow-up, empty or begun from a message."""

from __future__ import annotations

from datetime import date
from typing import Any

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.blocks import cut, day_input, modal, person_input, text_input
from bot.slack.door import Answer, Door, said
from bot.usecases.followup import add_follow_up

CALLBACK = "follow_up"


def view(about: Incident, text: str = "", link: str = "") -> dict[str, Any]:
    """The form; `link` is where the message stands that it was begun from."""
    blocks = [
        text_input(
            "text",
            "What is to be done?",
            initial=cut(text, 1000),
            is_optional=False,
            is_long=True,
            placeholder="Review the balancer's weights before each deployment",
            longest=1000,
        ),
        person_input("owner", "Who does it?", hint="A follow-up that nobody has is seldom done."),
        day_input("due", "Until when?", hint="Left empty, somebody's follow-up gets the usual day."),
    ]
    # private_metadata holds 3,000 characters, and a longer address is no use to anybody.
    memory = {"incident": str(about.id), "link": link if len(link) <= 1000 else ""}
    return modal(CALLBACK, "Add a follow-up", blocks, memory=memory, submit="Add")


def submitted(door: Door, ask: Ask) -> Answer:
    incident_id = ask.number("incident")
    if not incident_id:
        raise Refusal("This form has lost its incident. Note it with `/incident follow-up <what>`.")
    owner = ask.values.get("owner") or None
    if owner is not None:
        door.member(owner, "/incident follow-up review the weights @ana by friday")
    return said(
        add_follow_up(
            door.desk,
            incident_id,
            markup.from_plain(ask.values.get("text", "")),
            owner=owner,
            due_on=_day(ask.values.get("due", "")),
            link=ask.memory.get("link") or None,
            by=ask.user,
            origin=ask.origin,
        )
    )


def _day(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError:
        raise Refusal("Choose a day, for example 2024-06-14.", field="due") from None
