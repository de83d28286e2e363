"""reactions.*: emoji on messages."""

from __future__ import annotations

import re

from bot.standin import messages, shapes
from bot.standin.api.method import CallContext, Family
from bot.standin.model import Channel, Json, Message
from bot.standin.refused import Refused

FAMILY = Family()
_MOST_KINDS = 23


def _spot(call: CallContext) -> tuple[Channel, Message]:
    channel = call.channel()
    if not call.args.has("timestamp"):
        raise Refused("no_item_specified")
    return channel, call.ws.message(channel, call.args.text("timestamp"))


def _name(call: CallContext) -> str:
    name = call.args.text("name").strip(":")
    if not re.fullmatch(r"[a-z0-9_'+-]+(::skin-tone-[2-6])?", name):
        raise Refused("invalid_name")
    return name


@FAMILY.method("reactions.add", tier=3, scopes=("reactions:write",), needs=["channel", "name"])
def add(call: CallContext) -> Json:
    channel, message = _spot(call)
    if channel.is_archived:
        raise Refused("is_archived")
    call.must_be_in(channel)
    name = _name(call)
    if name not in message.reactions and len(message.reactions) >= _MOST_KINDS:
        raise Refused("too_many_emoji")
    messages.react(call.ws, channel, message, name, call.me)
    return {}


@FAMILY.method("reactions.remove", tier=2, scopes=("reactions:write",), needs=["name"])
def remove(call: CallContext) -> Json:
    channel, message = _spot(call)
    messages.unreact(call.ws, channel, message, _name(call), call.me)
    return {}


@FAMILY.method("reactions.get", tier=3, scopes=("reactions:read",))
def look(call: CallContext) -> Json:
    channel, message = _spot(call)
    call.must_be_in(channel)
    shown = shapes.message(call.ws, message) | {"permalink": call.ws.permalink(message)}
    return {"type": "message", "channel": channel.id, "message": shown}
