"""/runbook: which one fits?"""

from __future__ import annotations

from bot.slack import runbook_answers
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door
from bot.usecases.suggestion import suggestions

COMMAND, WORD = "/runbook", ""
USAGE = ""
SUMMARY = "suggest runbooks and similar past incidents by the incident's words"
EXAMPLES = ("/runbook",)


def fits(rest: str) -> bool:
    return not rest.strip()


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    return runbook_answers.suggestions(about.id, suggestions(door.desk, about.id, by=ask.user))
