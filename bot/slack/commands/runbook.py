"""/runbook: which one fits?"""

from __future__ import annotations

from bot.slack import runbook_answers
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door
from bot.usecases.runbook import suggest_runbooks

COMMAND, WORD = "/runbook", ""
USAGE = ""
SUMMARY = "suggest runbooks by the incident's words"
EXAMPLES = ("/runbook",)


def fits(rest: str) -> bool:
    return not rest.strip()


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    found = suggest_runbooks(door.desk, about.id, by=ask.user)
    return runbook_answers.suggestions(
        about.id, found, "No runbook matches the words of this incident so far."
    )
