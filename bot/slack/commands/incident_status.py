"""/incident status identified | monitoring | investigating"""

from __future__ import annotations

from bot.domain import markup
from bot.domain.incident import Status
from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.nearly import nearly
from bot.usecases.incident import set_status

COMMAND, WORD = "/incident", "status"
USAGE = "investigating | identified | monitoring"
SUMMARY = "say how far it is"
EXAMPLES = ("/incident status identified",)

_OPEN = [status.value for status in Status if not status.is_over]


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    word = rest.strip().lower()
    if not word:
        raise Refusal(
            f"The status is *{about.status.value}*. To change it: `/incident status identified` "
            "(investigating, identified or monitoring)."
        )
    if word in {"closed", "close", "resolved", "resolve", "done", "fixed"}:
        raise Refusal(
            "An incident ends with `/incident close`. While you watch whether it holds: `/incident status monitoring`."
        )
    if word in {"cancelled", "canceled"}:
        raise Refusal("To cancel it: `/incident cancel <why>`.")
    if word not in _OPEN:
        near = nearly(word, _OPEN)
        hint = (
            f"Did you mean `/incident status {near}`?"
            if near
            else "For example `/incident status identified`."
        )
        raise Refusal(
            f"“{markup.escape(rest[:60])}” is no status. There are investigating, identified and monitoring. {hint}"
        )
    return said(set_status(door.desk, about.id, Status(word), by=ask.user, origin=ask.origin))
