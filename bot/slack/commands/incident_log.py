"""/incident log: the same as /log"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.commands import log
from bot.slack.door import Answer, Door

COMMAND, WORD = "/incident", "log"
USAGE = log.USAGE
SUMMARY = "the same as /log"
EXAMPLES = ("/incident log 15m ago dead end: database looks fine",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    return log.run(door, ask, rest)
