"""Block Kit pieces, cut to Slack's limits (Block Kit reference: section 3,000, header 150, button 75 ...)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

Block = dict[str, Any]

_SECTION = 3000
_HEADER = 150
_LABEL = 75
_CONTEXT = 2000
#: Options of one menu.
MENU_OPTIONS = 100


def cut(text: str, longest: int) -> str:
    """The text, cut with an ellipsis where it is too long; never inside of `&amp;` or `<@U1>`."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    for opening, closing in (("&", ";"), ("<", ">")):
        start = kept.rfind(opening)
        if start != -1 and closing not in kept[start:] and len(kept) - start < 300:
            kept = kept[:start]
    return kept + "…"


def section(text: str, *, accessory: Block | None = None, block_id: str | None = None) -> Block:
    """A section of mrkdwn."""
    block: Block = {"type": "section", "text": {"type": "mrkdwn", "text": cut(text, _SECTION) or " "}}
    if accessory is not None:
        block["accessory"] = accessory
    if block_id is not None:
        block["block_id"] = block_id
    return block


def fields(pairs: Iterable[tuple[str, str]]) -> Block:
    """A section of up to ten small "*label*, value" fields."""
    shown = [{"type": "mrkdwn", "text": cut(f"*{label}*\n{value}", 2000)} for label, value in pairs]
    return {"type": "section", "fields": shown[:10]}


def header(text: str) -> Block:
    """A heading in plain text."""
    return {"type": "header", "text": {"type": "plain_text", "text": cut(text, _HEADER), "emoji": True}}


def context(*texts: str) -> Block:
    """Small grey lines of mrkdwn, ten at most."""
    return {
        "type": "context",
        "elements": [{"type": "mrkdwn", "text": cut(text, _CONTEXT)} for text in texts[:10]],
    }


def divider() -> Block:
    return {"type": "divider"}


def plain(text: str, longest: int = _LABEL) -> Block:
    return {"type": "plain_text", "text": cut(text, longest), "emoji": True}


def link_button(label: str, action: str, url: str) -> Block:
    """A button that opens a web address."""
    return {"type": "button", "text": plain(label), "action_id": action, "url": url}


def button(
    label: str, action: str, value: str, *, style: str | None = None, confirm: str | None = None
) -> Block:
    """A button; `confirm` asks before it acts."""
    made: Block = {"type": "button", "text": plain(label), "action_id": action, "value": value}
    if style is not None:
        made["style"] = style
    if confirm is not None:
        made["confirm"] = {
            "title": plain("Are you sure?", 100),
            "text": plain(confirm, 300),
            "confirm": plain("Yes", 30),
            "deny": plain("No", 30),
        }
    return made


def select(
    placeholder: str, action: str, options: Iterable[tuple[str, str]], *, initial: str | None = None
) -> Block:
    """A menu of (label, value) pairs."""
    made = [option(label, value) for label, value in options]
    block: Block = {
        "type": "static_select",
        "action_id": action,
        "placeholder": plain(placeholder, 150),
        "options": made[:MENU_OPTIONS],
    }
    chosen = next((one for one in made if one["value"] == initial), None)
    if chosen is not None:
        block["initial_option"] = chosen
    return block


def option(label: str, value: str) -> Block:
    return {"text": plain(label), "value": value}


def actions(*elements: Block, block_id: str | None = None) -> Block:
    block: Block = {"type": "actions", "elements": list(elements[:25])}
    if block_id is not None:
        block["block_id"] = block_id
    return block


def text_input(
    block_id: str,
    label: str,
    *,
    initial: str = "",
    is_optional: bool = True,
    is_long: bool = False,
    placeholder: str = "",
    hint: str = "",
    longest: int = 3000,
) -> Block:
    """A modal's text field. Its value arrives under `block_id`."""
    element: Block = {
        "type": "plain_text_input",
        "action_id": "typed",
        "multiline": is_long,
        "max_length": longest,
    }
    if initial:
        element["initial_value"] = cut(initial, longest)
    if placeholder:
        element["placeholder"] = plain(placeholder, 150)
    return _input(block_id, label, element, is_optional, hint)


def choice(
    block_id: str,
    label: str,
    options: Iterable[tuple[str, str]],
    *,
    initial: str | None = None,
    is_optional: bool = False,
    hint: str = "",
) -> Block:
    """A modal's menu."""
    return _input(block_id, label, select("Choose", "chosen", options, initial=initial), is_optional, hint)


def person_input(block_id: str, label: str, *, hint: str = "") -> Block:
    """A modal's choice of one person; their id arrives."""
    element: Block = {"type": "users_select", "action_id": "chosen", "placeholder": plain("Choose", 150)}
    return _input(block_id, label, element, True, hint)


def day_input(block_id: str, label: str, *, hint: str = "") -> Block:
    """A modal's choice of a day; it arrives as 2024-06-14."""
    element: Block = {"type": "datepicker", "action_id": "chosen", "placeholder": plain("Choose", 150)}
    return _input(block_id, label, element, True, hint)


def checkboxes(
    block_id: str, label: str, options: Iterable[tuple[str, str]], *, ticked: Collection[str] = ()
) -> Block:
    """A modal's boxes to tick; the ticked values arrive joined by ","."""
    made = [option(text, value) for text, value in options][:10]
    element: Block = {"type": "checkboxes", "action_id": "ticked", "options": made}
    initial = [one for one in made if one["value"] in ticked]
    if initial:
        element["initial_options"] = initial
    return _input(block_id, label, element, True, "")


def _input(block_id: str, label: str, element: Block, is_optional: bool, hint: str) -> Block:
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "element": element,
        "optional": is_optional,
    }
    if hint:
        block["hint"] = plain(hint, 2000)
    return block


def modal(
    callback: str,
    title: str,
    blocks: list[Block],
    *,
    memory: Mapping[str, str],
    submit: str | None = "Save",
    close: str = "Cancel",
) -> Block:
    """A modal view that remembers `memory` until it comes back."""
    # private_metadata holds 3,000 characters.
    kept = json_of(memory)
    view: Block = {
        "type": "modal",
        "callback_id": callback,
        "title": plain(title, 24),
        "close": plain(close, 24),
        "private_metadata": kept,
        "blocks": blocks[:100],
    }
    if submit is not None:
        view["submit"] = plain(submit, 24)
    return view


def json_of(memory: Mapping[str, str]) -> str:
    return json.dumps(dict(memory), separators=(",", ":"), ensure_ascii=False)
