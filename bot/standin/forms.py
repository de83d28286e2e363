"""What stands in the fields of a view: the state Slack sends, the checks its client makes before sending."""

from __future__ import annotations

import re
from typing import Any

from bot.standin.model import Json

#: the field of an element's state that holds its value, and the `initial_...` it starts from
_HOLDS = {
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "checkboxes": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "file_input": ("files", ""),
}
_LISTS = ("selected_options", "selected_users", "selected_conversations", "selected_channels", "files")


def elements_of(block: Json) -> list[Json]:
    """The interactive elements of a block, in order."""
    found = [block["element"]] if isinstance(block.get("element"), dict) else []
    if isinstance(block.get("accessory"), dict):
        found.append(block["accessory"])
    if block.get("type") == "actions":
        found += block.get("elements", [])
    return [e for e in found if "action_id" in e]


def initial_state(blocks: list[Json]) -> Json:
    """`state.values` of a view nobody has touched."""
    values: Json = {}
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in _HOLDS:
                values.setdefault(block["block_id"], {})[element["action_id"]] = value_of(element)
    return values


def value_of(element: Json) -> Json:
    field, initial = _HOLDS[element["type"]]
    value = element.get(initial)
    if value is None and field in _LISTS:
        value = []
    return {"type": element["type"], field: value}


def chosen(element: Json, wanted: Any) -> Json:
    """The state of an element once a person has put `wanted` in; options may be named by text or value."""
    field, _ = _HOLDS[element["type"]]
    if wanted is None:
        return {"type": element["type"], field: [] if field in _LISTS else None}
    if field == "selected_option":
        return {"type": element["type"], field: _option(element, wanted)}
    if field == "selected_options":
        many = wanted if isinstance(wanted, list) else [wanted]
        return {"type": element["type"], field: [_option(element, w) for w in many]}
    if field in _LISTS and not isinstance(wanted, list):
        wanted = [wanted]
    if element["type"] in ("plain_text_input", "number_input", "email_text_input", "url_text_input"):
        wanted = str(wanted)
    return {"type": element["type"], field: wanted}


def options_of(element: Json) -> list[Json]:
    grouped = [o for group in element.get("option_groups") or [] for o in group.get("options", [])]
    return list(element.get("options") or []) + grouped


def _option(element: Json, wanted: Any) -> Json:
    if isinstance(wanted, dict):
        return wanted
    for option in options_of(element):
        if str(wanted) in (option.get("value"), option["text"]["text"]):
            return dict(option)
    offered = ", ".join(o["text"]["text"] for o in options_of(element)) or "none in the view"
    raise LookupError(f"There is no option `{wanted}`. The options are: {offered}.")


def is_empty(value: Json) -> bool:
    held = {k: v for k, v in value.items() if k != "type"}
    return all(v in (None, "", []) for v in held.values())


def problems(blocks: list[Json], values: Json) -> dict[str, str]:
    """What Slack's own client refuses to submit: block id -> the sentence it shows."""
    found: dict[str, str] = {}
    for block in blocks:
        if block.get("type") != "input":
            continue
        element = block["element"]
        value = values.get(block["block_id"], {}).get(element.get("action_id"), {})
        if is_empty(value):
            if not block.get("optional"):
                found[block["block_id"]] = "Please complete this required field."
        elif (problem := _problem(element, value)) is not None:
            found[block["block_id"]] = problem
    return found


def _problem(element: Json, value: Json) -> str | None:
    kind, typed = element["type"], str(value.get("value") or "")
    if kind == "plain_text_input":
        if len(typed) < int(element.get("min_length") or 0):
            return f"Please enter at least {element['min_length']} characters."
        if len(typed) > int(element.get("max_length") or 3000):
            return f"Please enter at most {element.get('max_length') or 3000} characters."
    elif kind == "email_text_input" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", typed):
        return "Please enter a valid email address."
    elif kind == "url_text_input" and not re.match(r"\w+://\S", typed):
        return "Please enter a valid URL."
    elif kind == "number_input":
        return _number_problem(element, typed)
    return None


def _number_problem(element: Json, typed: str) -> str | None:
    is_decimal = element.get("is_decimal_allowed")
    if not re.fullmatch(r"-?\d+(\.\d+)?" if is_decimal else r"-?\d+", typed):
        return "Please enter a number." if is_decimal else "Please enter a whole number."
    low, high = element.get("min_value"), element.get("max_value")
    if low not in (None, "") and float(typed) < float(str(low)):
        return f"Please enter a number of at least {low}."
    if high not in (None, "") and float(typed) > float(str(high)):
        return f"Please enter a number of at most {high}."
    return None
