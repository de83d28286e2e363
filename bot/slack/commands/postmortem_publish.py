"""/postmortem publish [because ...]"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.review import publish

COMMAND, WORD = "/postmortem", "publish"
USAGE = "[because <why follow-ups may stay without owner or date>]"
SUMMARY = "publish the postmortem: the channel and the announcement are told"
EXAMPLES = ("/postmortem publish", "/postmortem publish because the team decides on Monday")


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    return said(publish(door.desk, about.id, reason=rest, by=ask.user, origin=ask.origin))
