"""/incident title <a better one>"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.incident import set_title

COMMAND, WORD = "/incident", "title"
ALIASES = ("rename",)
USAGE = "<a better title>"
SUMMARY = "change the title (the channel keeps its name)"
EXAMPLES = ("/incident title logins fail for half of the users",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    return said(set_title(door.desk, door.incident(ask).id, rest, by=ask.user, origin=ask.origin))
