"""/incident, with nothing or with a word nobody knows."""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door
from bot.slack.modals import open_incident

COMMAND, WORD = "/incident", ""
USAGE = ""
SUMMARY = "open an incident with a form"
EXAMPLES = ("/incident",)


def fits(rest: str) -> bool:
    return not rest


def run(door: Door, ask: Ask, rest: str) -> Answer:
    services = door.desk.services()
    return Answer(modal=open_incident.view(door.severity, asked_in=ask.channel, services=services))
