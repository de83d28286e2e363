"""/runbook search <words>"""

from __future__ import annotations

from bot.domain import markup
from bot.domain.refusals import Refusal
from bot.domain.suggestion import search
from bot.slack import runbook_answers
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door

COMMAND, WORD = "/runbook", "search"
ALIASES = ("find",)
USAGE = "<words>"
SUMMARY = "find runbooks by words"
EXAMPLES = ("/runbook search uneven traffic",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    if not rest.strip():
        raise Refusal(f"Say what to look for: `{EXAMPLES[0]}`")
    found = search(door.desk.runbooks(), rest)
    try:
        incident_id: int | None = door.incident(ask).id
    except Refusal:
        incident_id = None
    nothing = f"No runbook speaks of “{markup.escape(rest[:80])}”."
    return runbook_answers.runbooks_found(incident_id, found, nothing)
