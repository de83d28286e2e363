"""Shortcuts: callback id -> the form it opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.domain.outcomes import Undelivered
from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door
from bot.slack.modals import edit_entry, entry, follow_up, open_incident
from bot.usecases.sight import for_others
from bot.usecases.timeline import entry_of_message


def _open(door: Door, ask: Ask) -> Answer:
    services = door.desk.services()
    return Answer(modal=open_incident.view(door.severity, asked_in=ask.channel, services=services))


def _open_from_message(door: Door, ask: Ask) -> Answer:
    if ask.message is None:
        raise Refusal(
            "Slack did not say which message. Open the incident with `/incident open <what is wrong>`."
        )
    services = door.desk.services()
    message = replace(ask.message, text=for_others(door.desk, ask.message.text))
    view = open_incident.view(door.severity, asked_in=ask.channel, message=message, services=services)
    return Answer(modal=view)


def _add_to_timeline(door: Door, ask: Ask) -> Answer:
    about = door.incident(ask)
    if ask.message is None:
        raise Refusal("Slack did not say which message. Log it with `/log <text>`.")
    before = entry_of_message(door.desk, ask.message.origin)
    if before is not None:
        # A message is one entry: what is there already is corrected, not logged again.
        return Answer(modal=edit_entry.view(about, before, door.zone(ask.user)))
    message = replace(ask.message, text=for_others(door.desk, ask.message.text, within=about.id))
    return Answer(modal=entry.view(about, message))


def _add_follow_up(door: Door, ask: Ask) -> Answer:
    about = door.incident(ask)
    if ask.message is None:
        raise Refusal("Slack did not say which message. Note it with `/incident follow-up <what>`.")
    try:
        link = door.slack.permalink(ask.message.channel_id, ask.message.ts)
    except Undelivered:
        link = ""
    return Answer(modal=follow_up.view(about, for_others(door.desk, ask.message.text, within=about.id), link))


SHORTCUTS: dict[str, Callable[[Door, Ask], Answer]] = {
    "open_incident": _open,
    "open_from_message": _open_from_message,
    "add_to_timeline": _add_to_timeline,
    "add_follow_up": _add_follow_up,
}
