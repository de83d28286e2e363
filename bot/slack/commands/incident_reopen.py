"""/incident reopen"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.incident import reopen_incident

COMMAND, WORD = "/incident", "reopen"
USAGE = ""
SUMMARY = "open a closed or cancelled incident again"
EXAMPLES = ("/incident reopen",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    return said(reopen_incident(door.desk, door.incident(ask).id, by=ask.user, origin=ask.origin))
