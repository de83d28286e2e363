"""/postmortem review [done]"""

from __future__ import annotations

from bot.domain.refusals import Refusal
from bot.domain.review import ReviewState
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.review import set_review

COMMAND, WORD = "/postmortem", "review"
USAGE = "[withdraw]"
SUMMARY = "put the postmortem into review; withdraw: it is a draft again"
EXAMPLES = ("/postmortem review", "/postmortem review withdraw")


def run(door: Door, ask: Ask, rest: str) -> Answer:
    word = rest.strip().lower()
    if word not in ("", "withdraw"):
        raise Refusal(f"Write {' or '.join(f'`{one}`' for one in EXAMPLES)}.")
    state = ReviewState.DRAFT if word else ReviewState.IN_REVIEW
    return said(set_review(door.desk, door.incident(ask).id, state, by=ask.user, origin=ask.origin))
