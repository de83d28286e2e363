"""/incident severity sev1 | sev2 | sev3 | sev4"""

from __future__ import annotations

import re

from bot.domain import markup
from bot.domain.incident import Severity
from bot.domain.refusals import Refusal
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.usecases.incident import set_severity

COMMAND, WORD = "/incident", "severity"
ALIASES = ("sev",)
USAGE = "sev1 | sev2 | sev3 | sev4"
SUMMARY = "say how bad it is (SEV1 is worst)"
EXAMPLES = ("/incident severity sev1",)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    word = re.fullmatch(r"(?:sev)?[- ]?([1-4])", rest.strip().lower())
    if word is None:
        what = (
            f"“{markup.escape(rest[:60])}” is no severity"
            if rest.strip()
            else f"The severity is *{about.severity.value}*"
        )
        raise Refusal(f"{what}. There are SEV1 (worst) to SEV4: `/incident severity sev2`.")
    return said(set_severity(door.desk, about.id, Severity(f"SEV{word[1]}"), by=ask.user, origin=ask.origin))
