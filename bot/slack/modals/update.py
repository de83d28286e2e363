"""The form for an update to stakeholders."""

from __future__ import annotations

from typing import Any

from bot.domain import markup
from bot.domain.incident import Incident
from bot.slack.ask import Ask
from bot.slack.blocks import modal, text_input
from bot.slack.door import Answer, Door, said
from bot.usecases.postmortem import post_update

CALLBACK = "update"


def view(about: Incident) -> dict[str, Any]:
    blocks = [
        text_input(
            "text",
            "What should stakeholders know?",
            is_optional=False,
            is_long=True,
            placeholder="A fix is going out; logins recover within 10 minutes.",
            hint="It is posted here and under the announcement.",
        )
    ]
    return modal(CALLBACK, "Post an update", blocks, memory={"incident": str(about.id)}, submit="Post")


def submitted(door: Door, ask: Ask) -> Answer:
    text = markup.from_plain(ask.values.get("text", ""))
    return said(post_update(door.desk, ask.number("incident"), text, by=ask.user, origin=ask.origin))
