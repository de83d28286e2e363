"""/log [time] [kind:] <text>"""

from __future__ import annotations

from bot.domain.timeline import Kind, Source
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.modals import entry
from bot.usecases.timeline import log_entry

COMMAND, WORD = "/log", ""
USAGE = "[time] [kind:] <what happened>"
SUMMARY = "add to the timeline (with a form when you type nothing)"
EXAMPLES = (
    "/log restarted auth2",
    "/log 10:30 AM detection: alarms on login",
    "/log 15m ago dead end: database looks fine",
    "/log yesterday 22:10 escalation: called the network team",
    "/log 2024-06-03T10:30Z impact: logins fail",
)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    if not rest.strip():
        return Answer(modal=entry.view(door.incident(ask)))
    incident_id = door.incident_id(ask)
    line = door.read_line(ask, rest)
    return said(
        log_entry(
            door.desk,
            incident_id,
            line.text,
            kind=line.kind or Kind.NOTE,
            happened_at=line.happened_at,
            source=Source.COMMAND,
            by=ask.user,
            origin=ask.origin,
        )
    )
