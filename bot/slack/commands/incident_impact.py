"""/incident impact <what users notice>, and when it began and ended"""

from __future__ import annotations

from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.incident import set_fact, set_impact_span
from bot.usecases.timeline import one_line

COMMAND, WORD = "/incident", "impact"
USAGE = "<what users notice> | began <time> | ended <time>"
SUMMARY = "say what it does to users, and since when"
EXAMPLES = (
    "/incident impact half of the logins fail",
    "/incident impact began 10:00 UTC",
    "/incident impact ended 01:00",
)

_BEGAN = ("began", "begin", "started", "start", "since", "from")
_ENDED = ("ended", "end", "until", "stopped")


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    word, _, tail = rest.strip().partition(" ")
    if word.lower() in (*_BEGAN, *_ENDED) and tail.strip():
        moment, left = door.take_moment(ask, tail.strip())
        if moment is not None and not left:
            began = moment if word.lower() in _BEGAN else None
            ended = moment if word.lower() in _ENDED else None
            return said(
                set_impact_span(
                    door.desk, about.id, started_at=began, ended_at=ended, by=ask.user, origin=ask.origin
                )
            )
        if moment is not None or tail.strip()[0].isdigit():
            raise Refusal(
                f"“{one_line(tail[:60])}” is no time that can be read whole. "
                f"Write `/incident impact {word.lower()} 10:00 UTC`; "
                "to say what users notice, begin with other words: `/incident impact half of the logins fail`."
            )
    moment, text = door.take_moment(ask, rest)
    return said(
        set_fact(door.desk, about.id, "impact", text, happened_at=moment, by=ask.user, origin=ask.origin)
    )
