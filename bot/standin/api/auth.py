"""Who am I, is anyone there, and a socket to talk over."""

from __future__ import annotations

from bot.standin.api.method import SPECIAL, CallContext, Family
from bot.standin.model import Json

FAMILY = Family()


@FAMILY.method("api.test", tier=4)
def api_test(call: CallContext) -> Json:
    if call.args.has("error"):
        return {"ok": False, "error": call.args.text("error"), "args": call.args.raw}
    return {"args": call.args.raw}


@FAMILY.method("auth.test", tier=SPECIAL)
def auth_test(call: CallContext) -> Json:
    return {
        "url": f"{call.ws.base_url}/",
        "team": call.ws.team["name"],
        "team_id": call.ws.team["id"],
        "user": call.ws.users[call.me].name,
        "user_id": call.me,
        "bot_id": call.app.bot_id,
        "is_enterprise_install": False,
    }


@FAMILY.method("apps.connections.open", tier=3)
def open_connection(call: CallContext) -> Json:
    return {"url": call.new_socket_url(call.app)}
