"""What a message or a view says, and what in it a person can touch, found by the words they read."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from bot.standin import forms
from bot.standin.model import Json

#: where Block Kit keeps what people read
_SPOKEN = (
    "text",
    "title",
    "fields",
    "label",
    "elements",
    "rows",
    "blocks",
    "attachments",
    "element",
    "accessory",
)


def button(on: Json, label: str, **spot: Any) -> Json | None:
    """What a click on the button or choice called so sends, or None when there is none."""
    for block in on.get("blocks") or []:
        for element in forms.elements_of(block):
            where = {**spot, "block_id": block.get("block_id", ""), "action_id": element["action_id"]}
            if label in ((element.get("text") or {}).get("text"), element["action_id"]):
                return where | {"value": element.get("value")}
            for option in forms.options_of(element):
                if label in (option["text"]["text"], option.get("value")):
                    return where | {"selected_option": option}
    return None


def field(view: Json, label: str) -> tuple[Json, Json]:
    """The block and element of a field, by label, block id or action id. Raises LookupError."""
    fields = [(b, e) for b in view["blocks"] for e in forms.elements_of(b)]
    for block, element in fields:
        if label in ((block.get("label") or {}).get("text"), block.get("block_id"), element["action_id"]):
            return block, element
    labels = ", ".join(f'"{b["label"]["text"]}"' for b, _ in fields if "label" in b)
    raise LookupError(f'there is no field "{label}" in the dialog; it has {labels or "none"}')


def ids(state: Json, wanted: Any) -> Any:
    """Names of people and channels (or a list of them) as ids; what is no name stays as it is."""
    if isinstance(wanted, list):
        return [ids(state, each) for each in wanted]
    names = {each["name"]: each["id"] for each in [*state["channels"], *state["users"]]}
    return names.get(str(wanted).lstrip("@#"), wanted)


def plain(text: str) -> str:
    """Text as it reads: without mrkdwn's marks and entities, white space as single blanks."""
    return " ".join(html.unescape(re.sub(r"[*~`]", "", text)).split())


def words(message: Mapping[str, Any]) -> str:
    """Everything a message or a view says, as one plain text."""
    found: list[str] = []

    def gather(part: Any) -> None:
        if isinstance(part, Mapping):
            for key in _SPOKEN:
                value = part.get(key)
                if isinstance(value, str):
                    found.append(value)
                elif value:
                    gather(value)
        elif isinstance(part, list):
            for each in part:
                gather(each)

    gather(message)
    found += [str(file.get("name", "")) for file in message.get("files") or []]
    return plain(" ".join(found))
