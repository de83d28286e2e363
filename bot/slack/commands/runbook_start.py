"""/runbook start <id>"""

from __future__ import annotations

from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.runbook import start_run

COMMAND, WORD = "/runbook", "start"
ALIASES = ("pull", "run")
USAGE = "<id>"
SUMMARY = "bring a runbook into the channel, step by step"
EXAMPLES = ("/runbook start lb-uneven-traffic",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    if not rest.strip():
        raise Refusal(f"Say which one: `{EXAMPLES[0]}`. `/runbook` suggests, `/runbook list` shows all.")
    about = door.incident(ask)
    return said(start_run(door.desk, about.id, rest.split()[0], by=ask.user, origin=ask.origin))
