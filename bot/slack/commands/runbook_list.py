"""/runbook list"""

from __future__ import annotations

from bot.slack import runbook_answers
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door

COMMAND, WORD = "/runbook", "list"
USAGE = ""
SUMMARY = "show all runbooks"
EXAMPLES = ("/runbook list",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    return runbook_answers.all_of(door.desk.runbooks())
