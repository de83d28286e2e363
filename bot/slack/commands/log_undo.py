"""/log undo [12]"""

from __future__ import annotations

import re

from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.timeline import undo_entry

COMMAND, WORD = "/log", "undo"
USAGE = "[number]"
SUMMARY = "take back an entry: your last one, or the one of that number"
EXAMPLES = ("/log undo", "/log undo 12")

_NUMBER = re.compile(r"#?([-+]?\d+)?")
#: Digits of the largest number that an entry could have.
_LONGEST = 9


def fits(rest: str) -> bool:
    """With more than a number it is prose: "undo of the deploy did not help"."""
    return _NUMBER.fullmatch(rest.strip()) is not None


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    found = _NUMBER.fullmatch(rest.strip())
    typed = found[1] if found is not None else None
    if typed and (not typed.isdigit() or len(typed) > _LONGEST):
        raise Refusal("There is no entry of that number here. `/log list` shows them with their numbers.")
    number = int(typed) if typed else None
    return said(undo_entry(door.desk, about.id, number=number, by=ask.user, origin=ask.origin))
