"""blocks.validate: Slack's own answer to "would this be accepted?"."""

from __future__ import annotations

from bot.standin import blockkit
from bot.standin.api.method import CallContext, Family
from bot.standin.model import Json
from bot.standin.refused import Refused

FAMILY = Family()


@FAMILY.method("blocks.validate", tier=4)
def validate(call: CallContext) -> Json:
    given = [name for name in ("blocks", "view", "message") if call.args.raw.get(name) is not None]
    if len(given) != 1:
        raise Refused("invalid_arguments", "must provide exactly one of `blocks`, `view`, or `message`")
    sent = call.args.json(given[0])
    if given[0] == "view":
        problems = blockkit.view_problems(sent)
    else:
        problems = blockkit.message_problems(sent["blocks"] if given[0] == "message" else sent)
    if not problems:
        return {}
    listed = [{"code": "failed_constraint", "pointer": p.pointer, "message": p.reason} for p in problems]
    raise Refused(f"invalid_{given[0]}", errors=listed)
