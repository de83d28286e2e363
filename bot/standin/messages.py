"""What can be done to messages, by a person or by an app: each deed once, with its events."""

from __future__ import annotations

import secrets
from typing import Any

from bot.standin import shapes
from bot.standin.model import Channel, Json, Message, Pin
from bot.standin.refused import Refused
from bot.standin.workspace import Workspace

#: Slack's documented limit of the pins of a channel
MOST_PINS = 100


def post(ws: Workspace, channel: Channel, message: Message) -> Message:
    """Put a new message into the channel, under its own ts."""
    if channel.is_archived:
        raise Refused("is_archived")
    if message.thread_ts is not None:
        parent = channel.messages.get(message.thread_ts)
        if parent is None:
            raise Refused("thread_not_found")
        if parent.is_reply:
            # Slack files a reply to a reply under the parent of both.
            message.thread_ts = parent.thread_ts
            parent = channel.messages[parent.thread_ts or ""]
        parent.thread_ts = parent.ts
    channel.messages[message.ts] = message
    if message.user and not message.bot_id and not message.client_msg_id and not message.subtype:
        message.client_msg_id = secrets.token_hex(16)
    tell(ws, channel, message)
    return message


def tell(ws: Workspace, channel: Channel, message: Message) -> None:
    """The events of a new message: `message`, and `app_mention` to the bots it names."""
    event = shapes.message(ws, message, whole_metadata=True) | {
        "channel": channel.id,
        "channel_type": channel.kind,
        "event_ts": message.ts,
    }
    bots = ws.bots_in(channel)
    ws.on_event(event, bots)
    for app_id in bots:
        if f"<@{ws.apps[app_id].bot_user_id}>" in message.text and message.subtype in (None, "file_share"):
            ws.on_event({**event, "type": "app_mention"}, [app_id])
    ws.on_change([f"messages:{channel.id}", "state"])


def system_message(
    ws: Workspace, channel: Channel, user: str, subtype: str, text: str, **more: Any
) -> Message:
    """The line Slack itself writes: someone joined, set the topic, archived the channel ..."""
    message = Message(ws.next_ts(channel), channel.id, text, user=user, subtype=subtype, more=dict(more))
    channel.messages[message.ts] = message
    tell(ws, channel, message)
    return message


def whisper(ws: Workspace, channel: Channel, message: Message) -> Message:
    """Show a message to one member only.  It is in no history and makes no event."""
    channel.ephemerals.append(message)
    ws.on_change([f"messages:{channel.id}"])
    return message


def edit(ws: Workspace, channel: Channel, message: Message, changes: Json, editor: str) -> None:
    """Change fields of a message; a change of the text leaves the `edited` mark."""
    before = shapes.message(ws, message)
    is_text_changed = changes.get("text", message.text) != message.text
    for name, value in changes.items():
        setattr(message, name, value)
    if is_text_changed:
        message.edited = {"user": editor, "ts": ws.event_ts()}
    _hidden(
        ws,
        channel,
        {"subtype": "message_changed", "message": shapes.message(ws, message), "previous_message": before},
    )


def delete(ws: Workspace, channel: Channel, message: Message) -> None:
    before = shapes.message(ws, message)
    channel.pins = [p for p in channel.pins if p.ts != message.ts]
    if channel.replies(message.ts):
        message.text, message.subtype, message.blocks, message.files = (
            "This message was deleted.",
            "tombstone",
            [],
            [],
        )
    else:
        del channel.messages[message.ts]
    _hidden(
        ws,
        channel,
        {"subtype": "message_deleted", "previous_message": before, "deleted_ts": message.ts},
    )


def _hidden(ws: Workspace, channel: Channel, fields: Json) -> None:
    stamp = ws.event_ts()
    event = {"type": "message", "hidden": True, "channel": channel.id, "channel_type": channel.kind}
    ws.on_event(event | fields | {"ts": stamp, "event_ts": stamp}, ws.bots_in(channel))
    ws.on_change([f"messages:{channel.id}"])


def react(ws: Workspace, channel: Channel, message: Message, name: str, user: str) -> None:
    who = message.reactions.setdefault(name, [])
    if user in who:
        raise Refused("already_reacted")
    who.append(user)
    _reaction_event(ws, channel, message, name, user, "reaction_added")


def unreact(ws: Workspace, channel: Channel, message: Message, name: str, user: str) -> None:
    who = message.reactions.get(name, [])
    if user not in who:
        raise Refused("no_reaction")
    who.remove(user)
    if not who:
        del message.reactions[name]
    _reaction_event(ws, channel, message, name, user, "reaction_removed")


def _reaction_event(
    ws: Workspace, channel: Channel, message: Message, name: str, user: str, kind: str
) -> None:
    ws.on_event(
        {
            "type": kind,
            "user": user,
            "reaction": name,
            "item": {"type": "message", "channel": channel.id, "ts": message.ts},
            "item_user": message.user,
            "event_ts": ws.event_ts(),
        },
        ws.bots_in(channel),
    )
    ws.on_change([f"messages:{channel.id}"])


def pin(ws: Workspace, channel: Channel, message: Message, user: str) -> None:
    if any(p.ts == message.ts for p in channel.pins):
        raise Refused("already_pinned")
    if message.subtype in ("channel_join", "channel_topic", "channel_purpose", "pinned_item"):
        raise Refused("not_pinnable")
    if len(channel.pins) >= MOST_PINS:
        raise Refused("too_many_pins")
    channel.pins.insert(0, Pin(message.ts, user, int(ws.now())))
    _pin_event(ws, channel, message, user, "pin_added")
    item = {"type": "message", "channel": channel.id, "ts": message.ts}
    system_message(ws, channel, user, "pinned_item", "pinned a message to this channel.", item=item)


def unpin(ws: Workspace, channel: Channel, message: Message, user: str) -> None:
    if not any(p.ts == message.ts for p in channel.pins):
        raise Refused("no_pin")
    channel.pins = [p for p in channel.pins if p.ts != message.ts]
    _pin_event(ws, channel, message, user, "pin_removed")


def _pin_event(ws: Workspace, channel: Channel, message: Message, user: str, kind: str) -> None:
    at = int(ws.now())
    shown = shapes.message(ws, message) | {"permalink": ws.permalink(message)}
    ws.on_event(
        {
            "type": kind,
            "user": user,
            "channel_id": channel.id,
            "item": {
                "type": "message",
                "created": at,
                "created_by": user,
                "channel": channel.id,
                "message": shown,
            },
            "item_user": message.user,
            "pin_count": len(channel.pins),
            "pinned_info": {"channel": channel.id, "pinned_by": user, "pinned_ts": at},
            "event_ts": ws.event_ts(),
        },
        ws.bots_in(channel),
    )
    ws.on_change([f"messages:{channel.id}", "state"])
