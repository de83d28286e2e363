"""/incident update <what stakeholders should know>"""

from __future__ import annotations

from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.modals import update
from bot.usecases.postmortem import post_update

COMMAND, WORD = "/incident", "update"
USAGE = "<what stakeholders should know>"
SUMMARY = "tell stakeholders, here and under the announcement"
EXAMPLES = ("/incident update a fix is going out; logins recover within 10 minutes",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    if not rest.strip():
        return Answer(modal=update.view(about))
    return said(post_update(door.desk, about.id, rest, by=ask.user, origin=ask.origin))
