"""pins.*: what is held up in a channel."""

from __future__ import annotations

from bot.standin import messages, shapes
from bot.standin.api.method import CallContext, Family
from bot.standin.model import Json
from bot.standin.refused import Refused

FAMILY = Family()


@FAMILY.method("pins.add", tier=2, scopes=("pins:write",), needs=["channel"])
def add(call: CallContext) -> Json:
    channel = call.own_channel()
    if not call.args.has("timestamp"):
        raise Refused("no_item_specified")
    messages.pin(call.ws, channel, call.ws.message(channel, call.args.text("timestamp")), call.me)
    return {}


@FAMILY.method("pins.remove", tier=2, scopes=("pins:write",), needs=["channel"])
def remove(call: CallContext) -> Json:
    channel = call.own_channel()
    if not call.args.has("timestamp"):
        raise Refused("no_item_specified")
    messages.unpin(call.ws, channel, call.ws.message(channel, call.args.text("timestamp")), call.me)
    return {}


@FAMILY.method("pins.list", tier=2, scopes=("pins:read",), needs=["channel"])
def listed(call: CallContext) -> Json:
    channel = call.channel()
    call.must_be_in(channel)
    items = []
    for pin in channel.pins:
        message = call.ws.message(channel, pin.ts)
        shown = shapes.message(call.ws, message) | {"permalink": call.ws.permalink(message)}
        items.append(
            {
                "type": "message",
                "channel": channel.id,
                "created": pin.created,
                "created_by": pin.user,
                "message": shown,
            }
        )
    return {"items": items}
