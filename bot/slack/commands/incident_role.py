"""/incident role commander @ana"""

from __future__ import annotations

from bot.domain import markup
from bot.domain.people import Role
from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, mentioned, said
from bot.slack.nearly import nearly
from bot.usecases.people import give_role

COMMAND, WORD = "/incident", "role"
ALIASES = ("assign",)
USAGE = "commander | scribe | comms lead  @person | me"
SUMMARY = "hand a role to somebody; the hand-over is on the timeline"
EXAMPLES = ("/incident role commander @ana", "/incident role scribe me")

_WORDS = {
    "commander": Role.COMMANDER,
    "ic": Role.COMMANDER,
    "incident commander": Role.COMMANDER,
    "scribe": Role.SCRIBE,
    "comms lead": Role.COMMS_LEAD,
    "comms": Role.COMMS_LEAD,
    "communications lead": Role.COMMS_LEAD,
    "communications": Role.COMMS_LEAD,
}


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    who, words = mentioned(rest)
    wanted = words.strip().lower().removeprefix("to ").strip()
    if who is None and (wanted.endswith(" me") or wanted == "me"):
        who, wanted = ask.user, wanted.removesuffix("me").strip()
    role = _WORDS.get(wanted)
    if who is None:
        named = wanted if role is not None else "commander"
        raise Refusal(
            f"Say who: `/incident role {markup.escape(named)} @ana`, or `/incident role {markup.escape(named)} me`."
        )
    if role is None:
        near = nearly(wanted, list(_WORDS))
        hint = f" Did you mean `{near}`?" if near else ""
        raise Refusal(
            f"“{markup.escape(wanted[:60])}” is no role. There are commander, scribe and comms lead.{hint} "
            "For example `/incident role commander @ana`."
        )
    door.member(who, EXAMPLES[0])
    return said(give_role(door.desk, about.id, role, who, by=ask.user, origin=ask.origin))
