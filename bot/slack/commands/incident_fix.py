"""/incident fix <what made it good>"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.incident import set_fact

COMMAND, WORD = "/incident", "fix"
USAGE = "[time] <what made it good>"
SUMMARY = "say what resolved it"
EXAMPLES = ("/incident fix the intended weights are back",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    moment, text = door.take_moment(ask, rest)
    return said(
        set_fact(door.desk, about.id, "fix", text, happened_at=moment, by=ask.user, origin=ask.origin)
    )
