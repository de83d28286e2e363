"""What is in a signed request's body, read before Bolt sees it.

Bolt's own reading is left out: it takes every form with the word "payload" in it for an interaction, also
`/log payload too large` (slack-bolt 1.30, request/internals.py), and fails with 500 on shapes that Slack
does not send.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

Json = dict[str, Any]

#: Objects and lists inside each other; Slack's largest views have some twenty.
_DEEPEST = 100
#: Characters of a name or trigger id; Slack's trigger ids have up to 60.
_LONGEST = 150
#: Characters of an id of a person or channel; Slack's have 9 to 13.
_LONGEST_ID = 32
#: The fields of a slash command (docs.slack.dev, "Understanding commands"). Others are dropped, since Bolt
#: would take some of them for an event or an interaction.
_OF_COMMAND = frozenset(
    {"token", "team_id", "team_domain", "enterprise_id", "enterprise_name", "channel_id", "channel_name"}
    | {"user_id", "user_name", "command", "text", "api_app_id", "is_enterprise_install", "response_url"}
    | {"trigger_id"}
)


class Malformed(Exception):
    """The body is none that Slack sends. The message says why and holds nothing of the body."""


def read_body(content_type: str, body: bytes) -> Json:
    """The command, interaction or event in a body. Raises Malformed."""
    kind = content_type.split(";")[0].strip().lower()
    try:
        text = body.decode("utf-8")
        if kind == "application/json":
            return _checked(json.loads(text))
        if kind == "application/x-www-form-urlencoded":
            form = parse_qs(text, keep_blank_values=True, max_num_fields=200)
            return _checked(json.loads(form["payload"][0])) if "payload" in form else _command(form)
    except (ValueError, RecursionError):
        raise Malformed(
            "The body cannot be read: it must be UTF-8, JSON or a form with a JSON payload."
        ) from None
    raise Malformed("The body must be JSON or a form, as Slack sends them.")


def _command(form: Mapping[str, list[str]]) -> Json:
    if "ssl_check" in form:
        return {"ssl_check": "1"}
    fields: Json = {name: values[0] for name, values in form.items() if name in _OF_COMMAND}
    _needs(fields, "command", "trigger_id")
    _needs(fields, "user_id", "channel_id", longest=_LONGEST_ID)
    return fields


def _checked(found: Any) -> Json:
    """The object, when its kind is known and all that Bolt and we take for granted is there."""
    if not isinstance(found, dict):
        raise Malformed("The body is JSON, but not an object.")
    _not_too_deep(found)
    kind = found.get("type")
    check = _CHECKS.get(kind) if isinstance(kind, str) else None
    if check is None:
        raise Malformed("The body's type is none that Slack sends to this address.")
    if "command" in found or ("event" in found) != (kind == "event_callback"):
        raise Malformed("The body mixes a command, an event and an interaction.")
    _frame(found)
    check(found)
    return found


def _not_too_deep(found: Any) -> None:
    level = [found]
    for _ in range(_DEEPEST):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise Malformed("The body is nested too deeply.")


def _frame(found: Json) -> None:
    """Who and where: what Bolt looks at in every body."""
    _optional(found, (dict,), "view", "message", "container")
    _optional(found, (str, dict), "team", "enterprise", "user", "channel")
    for name in ("authorizations", "response_urls"):
        several = found.get(name)
        if several is None and name == "authorizations":
            continue
        if not isinstance(found.get(name, []), list) or not all(
            isinstance(one, dict) for one in several or []
        ):
            raise Malformed(f"The body's {name} are not a list of objects.")
    for one in (found.get("authorizations") or [])[:1]:
        _optional(one, (str, dict), "team", "enterprise")
        if one.get("authorizations") is not None:
            raise Malformed("The body's authorizations hold authorizations.")


def _event(found: Json) -> None:
    event = _object(found, "event")
    _needs(found, "event_id")
    _needs(event, "type")
    _optional(event, (str, dict), "team", "enterprise", "user", "channel")
    _optional(event, (dict,), "item", "message", "previous_message", "assistant_thread")
    if "authorizations" in event:
        raise Malformed("The event holds authorizations.")
    for name in ("item", "message", "previous_message", "assistant_thread"):
        _optional(event.get(name) or {}, (str, dict), "user", "channel")


def _interaction(found: Json) -> None:
    _needs(_object(found, "user"), "id", longest=_LONGEST_ID)
    _optional(found, (dict,), "channel")


def _click(found: Json) -> None:
    _interaction(found)
    _needs(found, "trigger_id")
    pressed = found.get("actions")
    if not isinstance(pressed, list) or not pressed or not isinstance(pressed[0], dict):
        raise Malformed("The body's actions are not a list of objects.")
    _needs(pressed[0], "action_id")


def _shortcut(found: Json) -> None:
    _interaction(found)
    _needs(found, "trigger_id", "callback_id")


def _view(found: Json) -> None:
    _interaction(found)
    view = _object(found, "view")
    _needs(view, "id", "type", "callback_id")
    _optional(view, (dict,), "state")
    _optional(view.get("state") or {}, (dict,), "values")


def _suggestion(found: Json) -> None:
    _interaction(found)
    _needs(found, "action_id")


_CHECKS = {
    "url_verification": lambda found: _needs(found, "challenge"),
    "app_rate_limited": lambda found: None,
    "event_callback": _event,
    "block_actions": _click,
    "shortcut": _shortcut,
    "message_action": _shortcut,
    "view_submission": _view,
    "view_closed": _view,
    "block_suggestion": _suggestion,
}


def _needs(found: Mapping[str, Any], *names: str, longest: int = _LONGEST) -> None:
    for name in names:
        value = found.get(name)
        is_word = (
            isinstance(value, str) and 0 < len(value) <= longest and value.isascii() and value.isprintable()
        )
        if not is_word:
            raise Malformed(f"The body lacks {name}, or it is no short word.")


def _optional(found: Mapping[str, Any], types: tuple[type, ...], *names: str) -> None:
    for name in names:
        if found.get(name) is not None and not isinstance(found[name], types):
            raise Malformed(f"The body's {name} has another type than Slack gives it.")


def _object(found: Mapping[str, Any], name: str) -> Json:
    value = found.get(name)
    if not isinstance(value, dict):
        raise Malformed(f"The body's {name} is not an object.")
    return value
