"""conversations.history (newest first) and conversations.replies (oldest first), in pages."""

from __future__ import annotations

from bot.standin import shapes
from bot.standin.api.conversations import needed
from bot.standin.api.method import CallContext, Family, page
from bot.standin.model import Channel, Json, Message
from bot.standin.refused import Refused

FAMILY = Family()

_SCOPES = ("channels:history", "groups:history", "im:history")


def _readable(call: CallContext) -> Channel:
    channel = call.channel()
    call.require(*needed(channel, "history"))
    call.must_be_in(channel)
    return channel


def _between(call: CallContext, messages: list[Message]) -> list[Message]:
    oldest, latest = _stamp(call, "oldest"), _stamp(call, "latest")
    ends = call.args.flag("inclusive")
    kept = []
    for message in messages:
        at = float(message.ts)
        after = oldest is None or at > oldest or (ends and at == oldest)
        before = latest is None or at < latest or (ends and at == latest)
        if after and before:
            kept.append(message)
    return kept


def _stamp(call: CallContext, name: str) -> float | None:
    if not call.args.has(name):
        return None
    try:
        return float(call.args.text(name)) or None
    except ValueError:
        raise Refused(f"invalid_ts_{name}") from None


def _answer(call: CallContext, found: list[Message]) -> Json:
    whole = call.args.flag("include_all_metadata")
    shown = [shapes.message(call.ws, m, whole_metadata=whole) for m in found]
    messages, more = page(shown, call.args, default=100, most=1000)
    following = {"response_metadata": more} if more["next_cursor"] else {}
    return {"messages": messages, "has_more": bool(more["next_cursor"]), **following}


@FAMILY.method("conversations.history", tier=3, scopes=_SCOPES, needs=["channel"])
def history(call: CallContext) -> Json:
    channel = _readable(call)
    found = [m for m in channel.messages.values() if not m.is_reply or m.is_broadcast]
    newest_first = _between(call, found)[::-1]
    return _answer(call, newest_first) | {"pin_count": len(channel.pins)}


@FAMILY.method("conversations.replies", tier=3, scopes=_SCOPES, needs=["channel", "ts"])
def replies(call: CallContext) -> Json:
    channel = _readable(call)
    parent = channel.messages.get(call.args.text("ts"))
    if parent is None:
        raise Refused("thread_not_found")
    if parent.is_reply:
        return _answer(call, [parent])
    return _answer(call, [parent, *_between(call, channel.replies(parent.ts))])
