"""/incident improvement <what should be better for good>"""

from __future__ import annotations

from bot.domain.followup import LessonKind
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.followup import add_lesson

COMMAND, WORD = "/incident", "improvement"
ALIASES = ("improve",)
USAGE = "<what should be better for good>"
SUMMARY = "name an improvement; the work for it is a follow-up"
EXAMPLES = ("/incident improvement test balancer changes before they are deployed",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    return said(add_lesson(door.desk, about.id, LessonKind.IMPROVEMENT, rest, by=ask.user, origin=ask.origin))
