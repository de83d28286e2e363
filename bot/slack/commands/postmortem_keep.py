"""/postmortem keep mine | facts"""

from __future__ import annotations

from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.sections import settle_section

COMMAND, WORD = "/postmortem", "keep"
USAGE = "mine | facts"
SUMMARY = "where people and the facts changed the same lines: say which stand"
EXAMPLES = ("/postmortem keep mine", "/postmortem keep facts")

_MINE, _FACTS = ("mine", "ours", "people"), ("facts", "theirs", "compiled")


def run(door: Door, ask: Ask, rest: str) -> Answer:
    word = rest.strip().lower()
    if word not in (*_MINE, *_FACTS):
        raise Refusal(
            "Say which stands: `/postmortem keep mine` for what people wrote, `/postmortem keep facts` for what the "
            "facts give."
        )
    about = door.incident(ask)
    return said(
        settle_section(door.desk, about.id, "", is_human_kept=word in _MINE, by=ask.user, origin=ask.origin)
    )
