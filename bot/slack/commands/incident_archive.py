"""/incident archive"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.incident import archive_incident

COMMAND, WORD = "/incident", "archive"
USAGE = ""
SUMMARY = "archive the channel of a closed incident (Lantern keeps timeline and draft)"
EXAMPLES = ("/incident archive",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    return said(archive_incident(door.desk, door.incident(ask).id, by=ask.user, origin=ask.origin))
