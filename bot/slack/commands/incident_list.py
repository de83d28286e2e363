"""/incident list [all]"""

from __future__ import annotations

from bot.slack import cards
from bot.slack.ask import Ask
from bot.slack.blocks import cut
from bot.slack.door import Answer, Door
from bot.usecases import sight

COMMAND, WORD = "/incident", "list"
USAGE = "[all]"
SUMMARY = "show open incidents (all: the past ones too)"
EXAMPLES = ("/incident list", "/incident list all")


def run(door: Door, ask: Ask, rest: str) -> Answer:
    everything = rest.strip().lower() == "all"
    found = sight.visible_incidents(door.desk, by=ask.user, is_over=None if everything else False, limit=20)
    if not found:
        which = "incident yet" if everything else "open incident"
        return Answer(f"There is no {which} that you can see. Open one: `/incident open <what is wrong>`.")
    return Answer(cut("\n".join(cards.list_line(one) for one in found), 3900))
