"""The form that corrects an entry."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any

from bot.domain.incident import Incident
from bot.domain.timeline import Entry, Kind
from bot.slack.ask import Ask
from bot.slack.blocks import choice, modal, text_input
from bot.slack.door import Answer, Door, said
from bot.slack.modals.entry import KINDS
from bot.usecases.timeline import edit_entry

CALLBACK = "edit_entry"


def view(about: Incident, entry: Entry, zone: tzinfo | None) -> dict[str, Any]:
    """The form with what the entry says now."""
    when = entry.happened_at.astimezone(zone or UTC)
    shown = f"{when:%Y-%m-%d %H:%M}" + ("" if zone is not None else " UTC")
    kinds = KINDS if entry.kind is not Kind.RUNBOOK else (*KINDS, (Kind.RUNBOOK.value, Kind.RUNBOOK.value))
    blocks = [
        text_input("text", f"Entry #{entry.number}", initial=entry.text, is_optional=False, is_long=True),
        choice("kind", "Kind", kinds, initial=entry.kind.value),
        text_input("time", "When?", initial=shown, is_optional=False, hint="In your own zone.", longest=100),
    ]
    memory = {"incident": str(about.id), "number": str(entry.number), "shown": shown}
    return modal(CALLBACK, f"Edit #{entry.number}"[:24], blocks, memory=memory)


def submitted(door: Door, ask: Ask) -> Answer:
    typed = ask.values.get("time", "").strip()
    # An untouched time keeps its seconds; the form shows minutes.
    happened_at = None if typed == ask.memory.get("shown") or not typed else door.read_moment(ask, typed)
    return said(
        edit_entry(
            door.desk,
            ask.number("incident"),
            ask.number("number"),
            text=ask.values.get("text", ""),
            kind=next((kind for kind in Kind if kind.value == ask.values.get("kind")), None),
            happened_at=happened_at,
            by=ask.user,
            origin=ask.origin,
        )
    )
