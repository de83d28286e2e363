"""The form for a timeline entry: /log without text, the header's button, and a message's shortcut."""

from __future__ import annotations

from typing import Any

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind, Source
from bot.slack.ask import Ask
from bot.slack.blocks import choice, modal, section, text_input
from bot.slack.door import Answer, Door, said
from bot.slack.modal_memory import chosen_kind, pack_images, remembered_message
from bot.usecases.timeline import MessageSeen, log_entry, log_message

CALLBACK = "entry"
#: Kinds a person chooses from; runbook entries come from runbooks.
KINDS = tuple((kind.value, kind.value) for kind in Kind if kind is not Kind.RUNBOOK)


def view(about: Incident, message: MessageSeen | None = None) -> dict[str, Any]:
    """An empty form, or one begun from a message: its author and time are kept."""
    memory = {"incident": str(about.id)}
    blocks: list[dict[str, Any]] = []
    if message is not None:
        memory |= {
            "channel": message.channel_id,
            "ts": message.ts,
            "author": message.author,
            "link": message.permalink,
            "images": pack_images(message.images),
        }
        images = "".join(
            f"\n• <{one.permalink}|{markup.escape(one.name)}>" for one in message.images if one.permalink
        )
        blocks.append(
            section(f"Written by <@{message.author}> {markup.dated(message.posted_at)}.{images}")
            if message.author.startswith(("U", "W"))
            else section(f"Written {markup.dated(message.posted_at)}.{images}")
        )
    blocks += [
        text_input(
            "text",
            "What happened?",
            initial="" if message is None else message.text,
            is_optional=message is not None and bool(message.images),
            is_long=True,
            placeholder="Alarms on login",
        ),
        choice("kind", "Kind", KINDS, initial=Kind.NOTE.value),
        text_input(
            "time",
            "When?",
            placeholder="now, 10:30, 15m ago, yesterday 22:10",
            hint="Leave it empty for the message's own time."
            if message is not None
            else "Leave it empty for now. Times are in your own zone.",
            longest=100,
        ),
    ]
    return modal(CALLBACK, "Add to timeline", blocks, memory=memory, submit="Add")


def submitted(door: Door, ask: Ask) -> Answer:
    incident_id = ask.number("incident")
    if not incident_id:
        raise Refusal("This form has lost its incident. Open it again with `/log`.")
    typed_time = ask.values.get("time", "").strip()
    happened_at = door.read_moment(ask, typed_time) if typed_time else None
    kind = chosen_kind(ask, Kind.NOTE)
    text = ask.values.get("text", "")
    message = remembered_message(ask, text)
    if message is None:
        # A modal's text is plain: what looks like markup is what the person typed.
        return said(
            log_entry(
                door.desk,
                incident_id,
                markup.from_plain(text),
                kind=kind,
                happened_at=happened_at,
                source=Source.MODAL,
                by=ask.user,
                origin=ask.origin,
            )
        )
    return said(
        log_message(
            door.desk,
            incident_id,
            message,
            kind=kind,
            happened_at=happened_at,
            source=Source.SHORTCUT,
            by=ask.user,
            origin=ask.origin,
        )
    )
