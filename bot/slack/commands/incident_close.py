"""/incident close"""

from __future__ import annotations

from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.modals import close
from bot.usecases.postmortem import Closing, close_incident

COMMAND, WORD = "/incident", "close"
ALIASES = ("resolve", "end")
USAGE = "[now]"
SUMMARY = "close the incident and compile the postmortem draft (now: without the form)"
EXAMPLES = ("/incident close", "/incident close now")


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    if about.status.is_over:
        raise Refusal(f"{about.slug} is already {about.status.value}. `/postmortem` shows its draft.")
    word = rest.strip().lower()
    if word == "now":
        return said(close_incident(door.desk, about.id, Closing(), by=ask.user, origin=ask.origin))
    if word:
        raise Refusal(
            "Closing takes no text: `/incident close` opens a form that asks for what is missing, "
            "`/incident close now` closes without it. The cause is said with `/incident cause <what was wrong>`."
        )
    return Answer(modal=close.view(about, door.zone(ask.user)))
