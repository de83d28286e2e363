"""/incident cause <what was wrong>"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.incident import set_fact

COMMAND, WORD = "/incident", "cause"
USAGE = "[time] <what was wrong>"
SUMMARY = "say what the root cause is"
EXAMPLES = ("/incident cause one server gets 87 % of the traffic",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    moment, text = door.take_moment(ask, rest)
    return said(
        set_fact(door.desk, about.id, "cause", text, happened_at=moment, by=ask.user, origin=ask.origin)
    )
