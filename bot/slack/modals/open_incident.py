"""The form that opens an incident: from /incident, a global shortcut, or a message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bot.catalogue import find_service
from bot.domain import markup
from bot.domain.catalogue import Service
from bot.domain.incident import Severity
from bot.domain.timeline import Kind
from bot.slack.ask import Ask
from bot.slack.blocks import MENU_OPTIONS, checkboxes, choice, cut, modal, section, text_input
from bot.slack.door import Answer, Door
from bot.slack.modal_memory import chosen_kind, pack_images, remembered_message
from bot.usecases.incident import LONGEST_TITLE, open_incident
from bot.usecases.timeline import MessageSeen

CALLBACK = "open_incident"

_SEVERITIES = (
    ("SEV1: most users cannot work", Severity.SEV1.value),
    ("SEV2: many users are hurt", Severity.SEV2.value),
    ("SEV3: some users are hurt", Severity.SEV3.value),
    ("SEV4: nobody outside notices", Severity.SEV4.value),
)


def view(
    severity: Severity,
    *,
    asked_in: str = "",
    message: MessageSeen | None = None,
    flags: Collection[str] = (),
    services: Mapping[str, Service] | None = None,
    is_from_home: bool = False,
) -> dict[str, Any]:
    """The empty form, or one begun from a message that becomes the first entry; `flags` are ticked.

    `services` are the catalogue's; without one nobody is asked which it is about. Sent `is_from_home`, it draws that.
    """
    memory = {"channel": asked_in} | ({"home": "yes"} if is_from_home else {})
    title = ""
    blocks: list[dict[str, Any]] = []
    if message is not None:
        plain = " ".join(markup.to_plain(message.text, {}, {}).split())
        title = plain[:LONGEST_TITLE]
        memory |= {
            "ts": message.ts,
            "author": message.author,
            "link": message.permalink,
            "images": pack_images(message.images),
        }
        blocks.append(
            section(
                f"This message becomes the first entry, with its own time:\n>{cut(_quoted(message), 500)}"
            )
        )
    blocks += [
        text_input(
            "title",
            "What is wrong?",
            initial=title,
            is_optional=False,
            placeholder="Logins fail for half of the users",
            longest=LONGEST_TITLE,
        ),
        choice("severity", "How bad is it?", _SEVERITIES, initial=severity.value),
        *_service_field(services or {}, "" if message is None else message.text),
        checkboxes(
            "flags",
            "Is it special?",
            (
                ("Private: only people in its channel see it", "private"),
                ("Drill: practice, not announced", "drill"),
            ),
            ticked=flags,
        ),
    ]
    if message is not None:
        kinds = [(kind.value, kind.value) for kind in Kind if kind is not Kind.RUNBOOK]
        blocks.append(choice("kind", "What is that message?", kinds, initial=Kind.DETECTION.value))
        blocks.append(
            text_input(
                "first", "Its words on the timeline", initial=message.text, is_optional=False, is_long=True
            )
        )
    return modal(CALLBACK, "Open an incident", blocks, memory=memory, submit="Open")


def _service_field(services: Mapping[str, Service], text: str) -> list[dict[str, Any]]:
    """Which service it is about: a menu, or a line to type on when a menu cannot hold the catalogue."""
    if not services:
        return []
    named = find_service(services, text)
    initial = named.name if named is not None else ""
    label = "Which service?"
    if len(services) <= MENU_OPTIONS:
        names = [(name, name) for name in sorted(services)]
        hint = "When you choose none, the one that the title names."
        return [choice("service", label, names, initial=initial, is_optional=True, hint=hint)]
    hint = "Its name in the catalogue. When you leave it empty, the one that the title names."
    return [text_input("service", label, initial=initial, hint=hint, placeholder=min(services), longest=64)]


def _quoted(message: MessageSeen) -> str:
    return markup.to_mrkdwn_safe(message.text).replace("\n", "\n>")


def submitted(door: Door, ask: Ask) -> Answer:
    flags = ask.values.get("flags", "").split(",")
    chosen = ask.values.get("severity")
    door.person(ask.user)
    done = open_incident(
        door.desk,
        markup.escape(ask.values.get("title", "")),
        by=ask.user,
        severity=next((one for one in Severity if one.value == chosen), None),
        is_private="private" in flags,
        is_drill="drill" in flags,
        service_name=ask.values.get("service", "").strip(),
        first=remembered_message(ask, ask.values.get("first", "")),
        first_kind=chosen_kind(ask, Kind.DETECTION),
        origin=ask.origin,
        asked_in=ask.channel,
    )
    # Nothing in the channel where it was asked shows that an incident was opened.
    return Answer(done.text, is_quiet=not done.is_new)
