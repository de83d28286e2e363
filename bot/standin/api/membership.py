"""conversations.invite, join, leave, kick: who is in a channel."""

from __future__ import annotations

from bot.standin import rooms, shapes
from bot.standin.api.conversations import needed
from bot.standin.api.method import CallContext, Family
from bot.standin.model import Channel, Json
from bot.standin.refused import Refused

FAMILY = Family()

#: users of one invite (was 1,000 once)
MOST_INVITED = 100
_INVITE = ("channels:write.invites", "groups:write.invites", "channels:manage", "groups:write")


@FAMILY.method("conversations.invite", tier=3, scopes=_INVITE, needs=["channel", "users"])
def invite(call: CallContext) -> Json:
    channel = call.own_channel()
    users = call.args.names("users")
    if len(users) > MOST_INVITED:
        raise Refused("too_many_users")
    wrong = {user: problem for user in users if (problem := _problem(call, channel, user))}
    is_forced = call.args.flag("force")
    listed = [{"user": user, "ok": False, "error": problem} for user, problem in wrong.items()]
    if wrong and (not is_forced or len(wrong) == len(users)):
        raise Refused(next(iter(wrong.values())), errors=listed)
    for user in users:
        if user not in wrong:
            rooms.enter(call.ws, channel, user, inviter=call.me)
    return {"channel": shapes.channel(call.ws, channel, call.me), **({"errors": listed} if wrong else {})}


def _problem(call: CallContext, channel: Channel, user_id: str) -> str | None:
    user = call.ws.users.get(user_id)
    if user is None or user.deleted:
        return "user_not_found"
    if user_id == call.me:
        return "cant_invite_self"
    return "already_in_channel" if user_id in channel.members else None


@FAMILY.method("conversations.join", tier=3, scopes=("channels:join",), needs=["channel"])
def join(call: CallContext) -> Json:
    channel = call.channel()
    if channel.is_archived:
        raise Refused("is_archived")
    if channel.kind != "channel":
        raise Refused("method_not_supported_for_channel_type")
    shown = shapes.channel(call.ws, channel, call.me)
    if call.me in channel.members:
        return {
            "channel": shown,
            "warning": "already_in_channel",
            "response_metadata": {"warnings": ["already_in_channel"]},
        }
    rooms.enter(call.ws, channel, call.me)
    return {"channel": shapes.channel(call.ws, channel, call.me)}


@FAMILY.method("conversations.leave", tier=3, scopes=("channels:manage", "groups:write"), needs=["channel"])
def leave(call: CallContext) -> Json:
    channel = call.channel()
    call.require(*needed(channel, "write"))
    if channel.is_archived:
        raise Refused("is_archived")
    if call.me not in channel.members:
        return {"not_in_channel": True}
    rooms.depart(call.ws, channel, call.me)
    return {}


@FAMILY.method(
    "conversations.kick", tier=3, scopes=("channels:manage", "groups:write"), needs=["channel", "user"]
)
def kick(call: CallContext) -> Json:
    channel = call.own_channel()
    call.require(*needed(channel, "write"))
    user = call.ws.user(call.args.text("user"))
    if user.id == call.me:
        raise Refused("cant_kick_self")
    if channel.is_general:
        raise Refused("cant_kick_from_general")
    if user.id not in channel.members:
        raise Refused("not_in_channel")
    rooms.depart(call.ws, channel, user.id)
    return {}
