"""Block Kit's interactive elements and composition objects, and their limits (from Slack's type comments)."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.standin.fields import Check
from bot.standin.model import Json

BUTTON_TEXT, BUTTON_VALUE, ADDRESS, ACTION_ID = 75, 2000, 3000, 255
PLACEHOLDER, OPTION_TEXT, OPTION_VALUE, MOST_OPTIONS = 150, 75, 150, 100
_STYLES = ("primary", "danger")

SELECTS = tuple(
    f"{many}{what}_select"
    for many in ("", "multi_")
    for what in ("static", "external", "users", "conversations", "channels")
)
PICKERS = ("datepicker", "timepicker", "datetimepicker")
TYPED = ("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input")
CHOICES = ("radio_buttons", "checkboxes")
#: which elements stand where
IN_SECTION = (
    "button",
    "image",
    "overflow",
    "datepicker",
    "timepicker",
    *CHOICES,
    *SELECTS,
    "workflow_button",
)
IN_ACTIONS = ("button", "overflow", *PICKERS, *CHOICES, *SELECTS, "rich_text_input", "workflow_button")
IN_INPUT = (*TYPED, *PICKERS, *CHOICES, *SELECTS, "file_input")


def element(check: Check, one: Json, at: str, allowed: tuple[str, ...]) -> None:
    """Check one element that stands in a block of which only the `allowed` types may be part."""
    if not check.is_object(one, at):
        return
    kind = one.get("type")
    if kind not in allowed:
        check.note(f"{at}/type", f"unsupported type: {kind}")
        return
    check.length(one.get("action_id"), f"{at}/action_id", ACTION_ID, 1)
    if one.get("confirm") is not None:
        confirm(check, one["confirm"], f"{at}/confirm")
    if one.get("placeholder") is not None:
        check.text(one["placeholder"], f"{at}/placeholder", PLACEHOLDER, is_plain=True)
    rule = _RULES.get(str(kind))
    if rule is not None:
        rule(check, one, at)


def confirm(check: Check, one: Json, at: str) -> None:
    if not check.is_object(one, at):
        return
    check.text(one.get("title"), f"{at}/title", 100, is_plain=True)
    check.text(one.get("text"), f"{at}/text", 300)
    check.text(one.get("confirm"), f"{at}/confirm", 30, is_plain=True)
    check.text(one.get("deny"), f"{at}/deny", 30, is_plain=True)
    check.one_of(one.get("style"), f"{at}/style", _STYLES)


def image(check: Check, one: Json, at: str) -> None:
    """An image, as a block or as an element."""
    check.length(one.get("image_url"), f"{at}/image_url", ADDRESS, 1)
    check.needs(one, at, "alt_text")
    check.length(one.get("alt_text"), f"{at}/alt_text", 2000)
    if one.get("image_url") is None and one.get("slack_file") is None:
        check.note(at, "missing required field: image_url")
    elif one.get("image_url") is not None and not re.match(r"https?://", str(one["image_url"])):
        check.note(f"{at}/image_url", "must be a valid URL")


def _button(check: Check, one: Json, at: str) -> None:
    check.text(one.get("text"), f"{at}/text", BUTTON_TEXT, is_plain=True)
    check.length(one.get("value"), f"{at}/value", BUTTON_VALUE, 1)
    check.length(one.get("url"), f"{at}/url", ADDRESS, 1)
    check.length(one.get("accessibility_label"), f"{at}/accessibility_label", 75)
    check.one_of(one.get("style"), f"{at}/style", _STYLES)
    if one.get("url") and not re.match(r"[a-z][a-z0-9+.-]*:", str(one["url"])):
        check.note(f"{at}/url", "must be a valid URL")


def _options(check: Check, one: Json, at: str, most: int, text_most: int = OPTION_TEXT) -> None:
    groups = one.get("option_groups")
    if groups is not None and "select" in str(one.get("type")):
        if one.get("options") is not None:
            check.note(at, "only one of options and option_groups allowed")
        for i, group in enumerate(check.items(groups, f"{at}/option_groups", 100)):
            check.text(group.get("label"), f"{at}/option_groups/{i}/label", 75, is_plain=True)
            _option_list(check, group.get("options"), f"{at}/option_groups/{i}/options", most, text_most, one)
        return
    _option_list(check, one.get("options"), f"{at}/options", most, text_most, one)


def _option_list(check: Check, options: object, at: str, most: int, text_most: int, owner: Json) -> None:
    seen: set[str] = set()
    for i, option in enumerate(check.items(options, at, most)):
        spot = f"{at}/{i}"
        if not check.is_object(option, spot):
            continue
        may_be_marked = owner.get("type") in CHOICES
        check.text(option.get("text"), f"{spot}/text", text_most, is_plain=not may_be_marked)
        check.needs(option, spot, "value")
        check.length(option.get("value"), f"{spot}/value", OPTION_VALUE)
        if option.get("description") is not None:
            check.text(option["description"], f"{spot}/description", text_most, is_plain=not may_be_marked)
        value = str(option.get("value"))
        if value in seen:
            check.note(f"{spot}/value", f"duplicate option value: {value}")
        seen.add(value)


def _static(check: Check, one: Json, at: str) -> None:
    _options(check, one, at, MOST_OPTIONS)
    _initial(check, one, at)


def _initial(check: Check, one: Json, at: str) -> None:
    """What stands chosen at first must be one of the options, whole."""
    groups = one.get("option_groups") or []
    offered = list(one.get("options") or []) + [o for g in groups for o in g.get("options") or []]
    first = one.get("initial_options") or ([one["initial_option"]] if one.get("initial_option") else [])
    for option in first:
        if _bare(option) not in [_bare(o) for o in offered]:
            check.note(at, "initial option must match exactly one of the options")


def _bare(option: Json) -> tuple[object, object]:
    return option.get("value"), (option.get("text") or {}).get("text")


def _external(check: Check, one: Json, at: str) -> None:
    least = one.get("min_query_length")
    if least is not None and not (isinstance(least, int) and 0 <= least <= 1000):
        check.note(f"{at}/min_query_length", "must be a whole number")


def _overflow(check: Check, one: Json, at: str) -> None:
    _options(check, one, at, 5)


def _choices(check: Check, one: Json, at: str) -> None:
    _options(check, one, at, 10, text_most=75)
    _initial(check, one, at)


def _date(check: Check, one: Json, at: str) -> None:
    _matching(check, one, at, "initial_date", r"\d{4}-\d{2}-\d{2}")


def _time(check: Check, one: Json, at: str) -> None:
    _matching(check, one, at, "initial_time", r"([01]\d|2[0-3]):[0-5]\d")


def _moment(check: Check, one: Json, at: str) -> None:
    first = one.get("initial_date_time")
    if first is not None and not (isinstance(first, int) and len(str(first)) == 10):
        check.note(f"{at}/initial_date_time", "must be a UNIX timestamp of 10 digits")


def _matching(check: Check, one: Json, at: str, name: str, pattern: str) -> None:
    if one.get(name) is not None and not re.fullmatch(pattern, str(one[name])):
        check.note(f"{at}/{name}", "failed to match the expected format")


def _typed(check: Check, one: Json, at: str) -> None:
    for name in ("min_length", "max_length"):
        value = one.get(name)
        if value is not None and not (isinstance(value, int) and 0 <= value <= 3000):
            check.note(f"{at}/{name}", "must be a number from 0 to 3000")
    check.length(one.get("initial_value"), f"{at}/initial_value", int(one.get("max_length") or 3000))


def _number(check: Check, one: Json, at: str) -> None:
    if "is_decimal_allowed" not in one:
        check.note(at, "missing required field: is_decimal_allowed")


def _files(check: Check, one: Json, at: str) -> None:
    most = one.get("max_files")
    if most is not None and not (isinstance(most, int) and 1 <= most <= 10):
        check.note(f"{at}/max_files", "must be a number from 1 to 10")


_RULES: dict[str, Callable[[Check, Json, str], None]] = {
    "button": _button,
    "image": image,
    "overflow": _overflow,
    "static_select": _static,
    "multi_static_select": _static,
    "external_select": _external,
    "multi_external_select": _external,
    "radio_buttons": _choices,
    "checkboxes": _choices,
    "datepicker": _date,
    "timepicker": _time,
    "datetimepicker": _moment,
    "plain_text_input": _typed,
    "number_input": _number,
    "file_input": _files,
}
