"""/incident check"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.balancer import ask_check

COMMAND, WORD = "/incident", "check"
ALIASES = ("balancer", "lb")
USAGE = ""
SUMMARY = "read the load balancer: is it the cause, and why"
EXAMPLES = ("/incident check",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    return said(ask_check(door.desk, door.incident(ask).id, by=ask.user, origin=ask.origin))
