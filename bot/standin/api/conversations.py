"""conversations.*: making channels, looking at them, naming and closing them."""

from __future__ import annotations

from bot.standin import canvases, rooms, shapes
from bot.standin.api.method import CallContext, Family, page
from bot.standin.model import Channel, Json
from bot.standin.refused import Refused

FAMILY = Family()

_READ = ("channels:read", "groups:read", "im:read")
_WRITE = ("channels:manage", "groups:write", "im:write")
_TOPIC = ("channels:write.topic", "groups:write.topic", *_WRITE)


def needed(channel: Channel, right: str) -> tuple[str, ...]:
    """The scopes that allow `read`, `history` or `write` for this kind of channel."""
    family = channel.scope_family
    if right == "write":
        return ("channels:manage",) if family == "channels" else (f"{family}:write",)
    return (f"{family}:{right}",)


@FAMILY.method("conversations.create", tier=2, scopes=_WRITE, needs=["name"])
def create(call: CallContext) -> Json:
    is_private = call.args.flag("is_private")
    call.require("groups:write" if is_private else "channels:manage")
    channel = rooms.create(call.ws, call.args.text("name"), call.me, is_private=is_private)
    return {"channel": shapes.channel(call.ws, channel, call.me)}


@FAMILY.method("conversations.info", tier=3, scopes=_READ, needs=["channel"])
def look(call: CallContext) -> Json:
    channel = call.channel()
    call.require(*needed(channel, "read"))
    shown = shapes.channel(call.ws, channel, call.me) | {"properties": canvases.properties(call.ws, channel)}
    if call.args.flag("include_num_members"):
        shown["num_members"] = len(channel.members)
    return {"channel": shown}


@FAMILY.method("conversations.list", tier=2, scopes=_READ)
def every(call: CallContext) -> Json:
    kinds = call.args.names("types") or ["public_channel"]
    found = [c for c in call.ws.channels.values() if _is_kind(c, kinds) and _is_visible(c, call.me)]
    for channel in found:
        call.require(*needed(channel, "read"))
    if call.args.flag("exclude_archived"):
        found = [c for c in found if not c.is_archived]
    shown = [
        shapes.channel(call.ws, c, call.me) | ({} if c.is_im else {"num_members": len(c.members)})
        for c in found
    ]
    channels, more = page(shown, call.args, default=100, most=1000)
    return {"channels": channels, "response_metadata": more}


def _is_kind(channel: Channel, kinds: list[str]) -> bool:
    kind = {"channel": "public_channel", "group": "private_channel", "im": "im"}[channel.kind]
    return kind in kinds


def _is_visible(channel: Channel, user: str) -> bool:
    return channel.kind == "channel" or user in channel.members


@FAMILY.method("users.conversations", tier=3, scopes=_READ)
def of_user(call: CallContext) -> Json:
    user = call.args.text("user") or call.me
    call.ws.user(user)
    kinds = call.args.names("types") or ["public_channel"]
    found = [
        c
        for c in call.ws.channels.values()
        if user in c.members and _is_kind(c, kinds) and _is_visible(c, call.me)
    ]
    if call.args.flag("exclude_archived"):
        found = [c for c in found if not c.is_archived]
    shown = [shapes.channel(call.ws, c, call.me) for c in found]
    channels, more = page(shown, call.args, default=100, most=999)
    return {"channels": channels, "response_metadata": more}


@FAMILY.method("conversations.members", tier=4, scopes=_READ, needs=["channel"])
def members(call: CallContext) -> Json:
    channel = call.channel()
    call.require(*needed(channel, "read"))
    listed: list[Json] = [{"id": m} for m in channel.members]
    found, more = page(listed, call.args, default=100, most=1000)
    return {"members": [m["id"] for m in found], "response_metadata": more}


@FAMILY.method("conversations.setTopic", tier=2, scopes=_TOPIC, needs=["channel"])
def set_topic(call: CallContext) -> Json:
    channel = call.own_channel()
    rooms.set_line(call.ws, channel, "topic", call.args.text("topic"), call.me)
    return {"channel": shapes.channel(call.ws, channel, call.me)}


@FAMILY.method("conversations.setPurpose", tier=2, scopes=_TOPIC, needs=["channel"])
def set_purpose(call: CallContext) -> Json:
    channel = call.own_channel()
    rooms.set_line(call.ws, channel, "purpose", call.args.text("purpose"), call.me)
    return {"purpose": channel.purpose["value"], "channel": shapes.channel(call.ws, channel, call.me)}


@FAMILY.method("conversations.rename", tier=2, scopes=_WRITE, needs=["channel", "name"])
def rename(call: CallContext) -> Json:
    channel = call.own_channel()
    call.require(*needed(channel, "write"))
    if channel.creator != call.me:
        raise Refused("not_authorized")
    rooms.rename(call.ws, channel, call.args.text("name"), call.me)
    return {"channel": shapes.channel(call.ws, channel, call.me)}


@FAMILY.method("conversations.archive", tier=2, scopes=_WRITE, needs=["channel"])
def archive(call: CallContext) -> Json:
    channel = call.channel()
    call.require(*needed(channel, "write"))
    if channel.is_archived:
        raise Refused("already_archived")
    call.must_be_in(channel)
    rooms.archive(call.ws, channel, call.me)
    return {}


@FAMILY.method("conversations.unarchive", tier=2, scopes=_WRITE, needs=["channel"])
def unarchive(call: CallContext) -> Json:
    channel = call.channel()
    call.require(*needed(channel, "write"))
    if not channel.is_archived:
        raise Refused("not_archived")
    # Archiving put the bot out, and nobody outside a channel may open it again.
    call.must_be_in(channel)
    rooms.unarchive(call.ws, channel, call.me)
    return {}


@FAMILY.method("conversations.open", tier=3, scopes=("im:write", "mpim:write"))
def open_direct(call: CallContext) -> Json:
    users = call.args.names("users")
    if not users:
        raise Refused("users_list_not_supplied")
    if len(users) > 1:
        raise Refused("method_not_supported_for_channel_type")
    if call.ws.user(users[0]).deleted:
        raise Refused("user_disabled")
    before = len(call.ws.channels)
    channel = call.ws.direct_channel(call.me, users[0])
    shown = shapes.channel(call.ws, channel, call.me) if call.args.flag("return_im") else {"id": channel.id}
    return {"channel": shown, **({"already_open": True} if len(call.ws.channels) == before else {})}
