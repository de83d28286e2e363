"""What somebody asked through Slack, in plain fields. Slack's dicts stop here."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.domain.line import clean
from bot.domain.timeline import Image
from bot.usecases.timeline import MessageSeen

#: Characters; Slack's ids have 9 to 13, a ts has 17.
_LONGEST_ID = 32


@dataclass(frozen=True)
class Ask:
    """One request from Slack."""

    #: command, action, submission, shortcut, message_shortcut or event.
    kind: str
    #: The command, action id, callback id or event type.
    name: str
    #: Slack id of the person.
    user: str
    #: Channel it was asked in; "" when Slack does not say (global shortcuts, some views).
    channel: str
    #: The same for every delivery of the same request.
    origin: str
    text: str = ""
    trigger_id: str = ""
    #: The value of a button or of the chosen option.
    value: str = ""
    #: The message a shortcut or button hangs on.
    message: MessageSeen | None = None
    #: Field values of a submitted view, by block id. Lists are joined by ",".
    values: Mapping[str, str] = field(default_factory=dict)
    #: What the view remembered from its opening.
    memory: Mapping[str, str] = field(default_factory=dict)
    #: Events: the message, person, names and words they are about.
    event: Mapping[str, str] = field(default_factory=dict)
    #: Whether a button of the Home tab was pressed, or a form sent that one opened.
    is_on_home: bool = False

    def number(self, name: str) -> int:
        """A whole number that the view remembered under this name; 0 when it is none."""
        kept = self.memory.get(name, "")
        return int(kept) if kept.isascii() and kept.isdigit() and len(kept) <= 9 else 0

    @property
    def typed(self) -> str:
        """What the person typed, to be given back when it could not be kept."""
        if self.kind == "command":
            return f"{self.name} {self.text}".strip()
        return "\n".join(value for value in self.values.values() if value)


def moment_of(ts: str) -> datetime:
    """The UTC moment of a Slack ts ("1717410600.000100"). Raises ValueError."""
    return datetime.fromtimestamp(float(ts), UTC)


#: NUL and halves of a character: JSON may hold them, no database and no answer can.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _text(value: Any) -> str:
    return _UNSTORABLE.sub("", value) if isinstance(value, str) else ""


def _id(value: Any) -> str:
    """An id of Slack's; "" for anything that could be none."""
    text = _text(value)
    return text if len(text) <= _LONGEST_ID else ""


#: Characters of a permalink that are kept; a form remembers it beside up to five images.
_ADDRESS = re.compile(r"https?://[!#-;=?-\[\]-{}~]{1,300}")


def address(value: Any) -> str:
    """A web address as Slack writes it; "" for anything else, since it ends up inside of `<...|...>`."""
    return value if isinstance(value, str) and _ADDRESS.fullmatch(value) else ""


def read_message(channel: str, message: Mapping[str, Any]) -> MessageSeen | None:
    """A message as Slack gives it in shortcuts, reactions.get and history; None when it is not one."""
    ts = _id(message.get("ts"))
    try:
        posted_at = moment_of(ts)
    except (ValueError, OverflowError, OSError):
        return None
    files = message.get("files")
    images = tuple(
        Image(
            file_id=_text(one.get("id")),
            name=_text(one.get("name")) or _text(one.get("title")) or "file",
            permalink=address(one.get("permalink")),
            mimetype=_text(one.get("mimetype")),
        )
        for one in (files if isinstance(files, list) else [])
        if isinstance(one, dict)
    )
    return MessageSeen(
        channel_id=channel,
        ts=ts,
        author=_id(message.get("user")) or _id(message.get("bot_id")),
        posted_at=posted_at,
        text=_text(message.get("text")),
        permalink=address(message.get("permalink")),
        images=images,
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def of_command(body: Mapping[str, Any]) -> Ask:
    return Ask(
        kind="command",
        name=_text(body.get("command")),
        user=_id(body.get("user_id")),
        channel=_id(body.get("channel_id")),
        origin=f"slash:{_text(body.get('trigger_id'))}",
        text=_text(body.get("text")),
        trigger_id=_text(body.get("trigger_id")),
    )


def of_shortcut(body: Mapping[str, Any]) -> Ask:
    channel = _id(_object(body.get("channel")).get("id"))
    message = body.get("message")
    return Ask(
        kind="message_shortcut" if body.get("type") == "message_action" else "shortcut",
        name=_text(body.get("callback_id")),
        user=_id(_object(body.get("user")).get("id")),
        channel=channel,
        origin=f"shortcut:{_text(body.get('trigger_id'))}",
        trigger_id=_text(body.get("trigger_id")),
        message=read_message(channel, message) if isinstance(message, dict) else None,
    )


def of_action(body: Mapping[str, Any]) -> Ask:
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    channel = _id(_object(body.get("channel")).get("id"))
    message = body.get("message")
    view = body.get("view")
    return Ask(
        kind="action",
        name=_text(first.get("action_id")),
        user=_id(_object(body.get("user")).get("id")),
        channel=channel,
        origin=f"act:{_text(body.get('trigger_id'))}",
        trigger_id=_text(body.get("trigger_id")),
        value=_value(first),
        message=read_message(channel, message) if isinstance(message, dict) else None,
        memory=_memory(view) if isinstance(view, dict) else {},
        is_on_home=_object(view).get("type") == "home",
    )


def of_view(body: Mapping[str, Any]) -> Ask:
    view = _object(body.get("view"))
    state = _object(_object(view.get("state")).get("values"))
    memory = _memory(view)
    values = {
        _text(block_id): _value(_object(next(iter(elements.values()), {})))
        for block_id, elements in state.items()
        if isinstance(elements, dict)
    }
    return Ask(
        kind="submission",
        name=_text(view.get("callback_id")),
        user=_id(_object(body.get("user")).get("id")),
        channel=_id(memory.get("channel")),
        # A view is submitted once: what Slack repeats has the same view, what was refused left no trace.
        origin=f"view:{_text(view.get('id'))}",
        trigger_id=_text(body.get("trigger_id")),
        values=values,
        memory=memory,
        is_on_home=bool(memory.get("home")),
    )


def _memory(view: Mapping[str, Any]) -> dict[str, str]:
    try:
        kept = json.loads(_text(view.get("private_metadata")) or "{}")
    except (ValueError, RecursionError):
        return {}
    return {_text(key): _text(str(value)) for key, value in kept.items()} if isinstance(kept, dict) else {}


def _value(element: Mapping[str, Any]) -> str:
    """The value of an input element or action, whatever its type; "" when nothing is chosen."""
    for key in ("value", "selected_user", "selected_date", "selected_time", "selected_channel"):
        if isinstance(element.get(key), str):
            return _text(element[key])
    if isinstance(element.get("selected_date_time"), int):
        return str(element["selected_date_time"])
    chosen = element.get("selected_option")
    if isinstance(chosen, dict):
        return _text(chosen.get("value"))
    several = element.get("selected_options")
    if isinstance(several, list):
        return ",".join(_text(one.get("value")) for one in several if isinstance(one, dict))
    return ""


def of_event(body: Mapping[str, Any]) -> Ask:
    event = _object(body.get("event"))
    item = _object(event.get("item"))
    channel = event.get("channel")
    named = _object(channel)
    user = event.get("user")
    profile = _object(user)
    words = {
        "item_ts": _id(item.get("ts")) or _id(_object(item.get("message")).get("ts")),
        "item_type": _text(item.get("type")),
        "reaction": _text(event.get("reaction")),
        "made_ts": _id(event.get("event_ts")),
        "tab": _text(event.get("tab")),
        "channel_name": " ".join(clean(_text(named.get("name"))).split()),
        "old_channel": _id(event.get("old_channel_id")),
        "new_channel": _id(event.get("new_channel_id")),
        "profile_name": profile_name(profile),
        "profile_tz": _text(profile.get("tz")),
        "profile_deleted": "yes" if profile.get("deleted") else "",
        "profile_bot": "yes" if profile.get("is_bot") else "",
    }
    return Ask(
        kind="event",
        name=_text(event.get("type")),
        user=_id(profile.get("id")) if profile else _id(user),
        channel=_id(named.get("id"))
        or _id(channel)
        or _id(item.get("channel"))
        or _id(event.get("channel_id")),
        origin=f"event:{_text(body.get('event_id'))}",
        event={key: value for key, value in words.items() if value},
    )


def profile_name(user: Mapping[str, Any]) -> str:
    """The name people know someone by: display name, else real name, else handle; on one line, without hidden signs."""
    profile = _object(user.get("profile"))
    names = (
        profile.get("display_name"),
        profile.get("real_name"),
        user.get("real_name"),
        user.get("name"),
    )
    return next((name for one in names if (name := " ".join(clean(_text(one)).split()))), "")
