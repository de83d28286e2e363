"""The form for a note on a runbook step."""

from __future__ import annotations

from typing import Any

from bot.domain import markup
from bot.slack.ask import Ask
from bot.slack.blocks import modal, text_input
from bot.slack.door import Answer, Door, said
from bot.usecases.runbook import note_step

CALLBACK = "step_note"


def view(run_id: int, position: int) -> dict[str, Any]:
    blocks = [
        text_input(
            "text",
            f"What about step {position + 1}?",
            is_optional=False,
            is_long=True,
            placeholder="auth1 has weight 200, the others 10",
            longest=1000,
        )
    ]
    return modal(CALLBACK, "Note on a step", blocks, memory={"run": str(run_id), "position": str(position)})


def submitted(door: Door, ask: Ask) -> Answer:
    return said(
        note_step(
            door.desk,
            ask.number("run"),
            ask.number("position"),
            markup.from_plain(ask.values.get("text", "")),
            by=ask.user,
            origin=ask.origin,
        )
    )
