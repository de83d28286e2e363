"""/incident cancel [why]"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.incident import cancel_incident

COMMAND, WORD = "/incident", "cancel"
USAGE = "[why]"
SUMMARY = "end an incident that was none; it gets no postmortem"
EXAMPLES = ("/incident cancel false alarm",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    return said(
        cancel_incident(door.desk, door.incident(ask).id, reason=rest, by=ask.user, origin=ask.origin)
    )
