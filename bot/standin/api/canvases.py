"""conversations.canvases.create and canvases.edit: the one canvas of a channel."""

from __future__ import annotations

from bot.standin import canvases
from bot.standin.api.method import CallContext, Family
from bot.standin.model import Json
from bot.standin.refused import Refused

FAMILY = Family()


@FAMILY.method("conversations.canvases.create", tier=2, scopes=("canvases:write",), needs=["channel_id"])
def create(call: CallContext) -> Json:
    channel = call.own_channel("channel_id")
    markdown = canvases.checked(call.args.json("document_content"), "channel_canvas_creation_failed")
    made = canvases.create(call.ws, channel, call.args.text("title"), markdown, call.me)
    return {"canvas_id": made.id}


@FAMILY.method("canvases.edit", tier=3, scopes=("canvases:write",), needs=["canvas_id", "changes"])
def edit(call: CallContext) -> Json:
    canvas = call.ws.files.get(call.args.text("canvas_id"))
    if canvas is None or canvas.mimetype != canvases.MIMETYPE:
        raise Refused("canvas_not_found")
    for place in canvas.channels:
        channel = call.ws.seen(place, call.me)
        if channel.is_archived or call.me not in channel.members:
            raise Refused("restricted_action")
    changes = call.args.json("changes")
    if not isinstance(changes, list) or len(changes) != 1 or not isinstance(changes[0], dict):
        raise Refused("invalid_arguments", "[ERROR] must have one item [json-pointer:/changes]")
    (change,) = changes
    text = canvases.checked(change.get("document_content"), "canvas_editing_failed")
    before = canvas.content.decode()
    match change.get("operation"), change.get("section_id"):
        case "replace", None:
            after = text
        case "insert_at_start", None:
            after = f"{text}\n\n{before}"
        case "insert_at_end", None:
            after = f"{before}\n\n{text}"
        case other, _:
            raise Refused("invalid_arguments", f"[ERROR] the stand-in has no {other} of a section")
    canvases.write(call.ws, canvas, after)
    return {}
