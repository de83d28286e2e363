"""/incident close"""

from __future__ import annotations

from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door
from bot.slack.modals import close

COMMAND, WORD = "/incident", "close"
ALIASES = ("resolve", "end")
USAGE = ""
SUMMARY = "close the incident and compile the postmortem draft"
EXAMPLES = ("/incident close",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    if about.status.is_over:
        raise Refusal(f"{about.slug} is already {about.status.value}. `/postmortem` shows its draft.")
    return Answer(modal=close.view(about, door.zone(ask.user)))
