"""/incident service <name>"""

from __future__ import annotations

from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.balancer import set_service

COMMAND, WORD = "/incident", "service"
ALIASES = ()
USAGE = "<name of the service>"
SUMMARY = "say which service it is about; its load balancer is then read"
EXAMPLES = ("/incident service login",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    if not rest.strip():
        now = f"The service is *{about.service}*." if about.service else f"{about.slug} has no service yet."
        known = ", ".join(f"`{name}`" for name in sorted(door.desk.services())[:20])
        raise Refusal(f"{now} The catalogue has {known or 'none'}: `/incident service login`.")
    return said(set_service(door.desk, about.id, rest, by=ask.user, origin=ask.origin))
