"""/incident info [number]"""

from __future__ import annotations

import re

from bot.domain.refusals import Refusal
from bot.slack import cards
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door
from bot.usecases import deliveries, sight

COMMAND, WORD = "/incident", "info"
ALIASES = ("show",)
USAGE = "[number]"
SUMMARY = "show this incident, or the one of that number"
EXAMPLES = ("/incident info", "/incident info 42")


def run(door: Door, ask: Ask, rest: str) -> Answer:
    if rest.strip():
        number = re.fullmatch(r"(?:inc-|#)?0*(\d{1,9})", rest.strip().lower())
        if number is None:
            raise Refusal("Give the incident's number: `/incident info 42`. `/incident list` shows them.")
        about = sight.incident_by_number(door.desk, int(number[1]), by=ask.user)
    else:
        about = door.incident(ask)
    card = deliveries.card(door.desk, about.id)
    return Answer(cards.card_text(card), cards.header_card(card))
