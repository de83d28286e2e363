"""Block Kit's rules for blocks and views.  What breaks one is refused whole, each problem with its path.

A message gets `invalid_blocks`, a view `invalid_arguments`, both with response_metadata.messages.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from bot.standin import elements
from bot.standin.fields import Check, Problem
from bot.standin.model import Json
from bot.standin.refused import Refused

#: where a block may stand
MESSAGE, MODAL, HOME = "message", "modal", "home"
_MOST_BLOCKS = {MESSAGE: 50, MODAL: 100, HOME: 100}
#: characters of all markdown blocks of a message, of all tables of a message
LONGEST_MARKDOWN, LONGEST_TABLES = 12_000, 10_000


def with_ids(blocks: list[Json]) -> list[Json]:
    """The blocks with the ids Slack gives to those (and to those elements) that came without."""
    done = []
    for block in blocks:
        kept = dict(block)
        kept.setdefault("block_id", secrets.token_urlsafe(4)[:5])
        for name in ("element", "accessory"):
            if isinstance(kept.get(name), dict) and kept[name].get("type") != "image":
                kept[name] = {"action_id": secrets.token_urlsafe(4)[:5], **kept[name]}
        if kept["type"] == "actions":
            kept["elements"] = [{"action_id": secrets.token_urlsafe(4)[:5], **e} for e in kept["elements"]]
        done.append(kept)
    return done


def filled_text(text: Json) -> Json:
    """A plain text object as Slack echoes it."""
    return {"emoji": True, **text} if text.get("type") == "plain_text" else dict(text)


def check_message(blocks: Any) -> None:
    """Raises Refused unless a message may have these blocks."""
    problems = message_problems(blocks)
    if problems:
        raise Refused("invalid_blocks", *map(str, problems))


def check_view(view: Any, expected: str) -> None:
    """Raises Refused unless this is a right view of the expected type, modal or home."""
    problems = view_problems(view, expected)
    if problems:
        raise Refused("invalid_arguments", *map(str, problems))


def message_problems(blocks: Any) -> list[Problem]:
    check = Check()
    _blocks(check, blocks, "/blocks", MESSAGE)
    return check.problems


def view_problems(view: Any, expected: str | None = None) -> list[Problem]:
    check = Check()
    if not check.is_object(view, "/view"):
        return check.problems
    kind = view.get("type")
    if kind not in (MODAL, HOME) or (expected is not None and kind != expected):
        check.note("/view/type", f"unsupported type: {kind}")
        return check.problems
    check.only(view, "/view", _MODAL_FIELDS if kind == MODAL else _HOME_FIELDS)
    check.length(view.get("callback_id"), "/view/callback_id", 255)
    check.length(view.get("external_id"), "/view/external_id", 255)
    check.length(view.get("private_metadata"), "/view/private_metadata", 3000)
    if kind == MODAL:
        check.text(view.get("title"), "/view/title", 24, is_plain=True)
        for name in ("submit", "close"):
            if view.get(name) is not None:
                check.text(view[name], f"/view/{name}", 24, is_plain=True)
    blocks = view.get("blocks")
    _blocks(check, blocks, "/view/blocks", str(kind))
    has_input = isinstance(blocks, list) and any(
        b.get("type") == "input" for b in blocks if isinstance(b, dict)
    )
    if kind == MODAL and has_input and view.get("submit") is None:
        check.note("/view/submit", "missing required field: submit")
    return check.problems


_HOME_FIELDS = (
    "type",
    "blocks",
    "private_metadata",
    "callback_id",
    "external_id",
    "title",
    "submit",
    "close",
)
_MODAL_FIELDS = (*_HOME_FIELDS, "clear_on_close", "notify_on_close", "submit_disabled")


def _blocks(check: Check, blocks: Any, at: str, place: str) -> None:
    seen: set[str] = set()
    listed = check.items(blocks, at, _MOST_BLOCKS[place], 0 if place == MESSAGE else 1)
    for i, block in enumerate(listed):
        spot = f"{at}/{i}"
        if not check.is_object(block, spot):
            continue
        kind = str(block.get("type"))
        rule = _RULES.get(kind)
        if rule is None or place not in rule[1]:
            check.note(f"{spot}/type", f"unsupported type: {block.get('type')}")
            continue
        check.length(block.get("block_id"), f"{spot}/block_id", 255)
        block_id = block.get("block_id")
        if block_id and block_id in seen:
            check.note(f"{spot}/block_id", f"block_id `{block_id}` already exists")
        seen.add(str(block_id or ""))
        check.only(block, spot, ("type", "block_id", *rule[2]))
        rule[0](check, block, spot)
    objects = [b for b in listed if isinstance(b, dict)]
    marked = sum(len(str(b.get("text", ""))) for b in objects if b.get("type") == "markdown")
    if marked > LONGEST_MARKDOWN:
        check.note(at, f"markdown blocks must hold less than {LONGEST_MARKDOWN + 1} characters together")
    tabled = sum(_table_length(b) for b in objects if b.get("type") == "table")
    if tabled > LONGEST_TABLES:
        check.note(at, f"tables must hold less than {LONGEST_TABLES + 1} characters together")


def _unique_actions(check: Check, listed: list[Any], at: str) -> None:
    seen: set[str] = set()
    for i, one in enumerate(listed):
        action_id = one.get("action_id") if isinstance(one, dict) else None
        if action_id and action_id in seen:
            check.note(f"{at}/{i}/action_id", f"action_id `{action_id}` already exists for this block")
        seen.add(str(action_id or ""))


def _header(check: Check, block: Json, at: str) -> None:
    check.text(block.get("text"), f"{at}/text", 150, is_plain=True)


def _section(check: Check, block: Json, at: str) -> None:
    if block.get("text") is None and block.get("fields") is None:
        check.note(at, "missing required field: text or fields")
    if block.get("text") is not None:
        check.text(block["text"], f"{at}/text", 3000)
    if block.get("fields") is not None:
        for i, text in enumerate(check.items(block["fields"], f"{at}/fields", 10)):
            check.text(text, f"{at}/fields/{i}", 2000)
    if block.get("accessory") is not None:
        elements.element(check, block["accessory"], f"{at}/accessory", elements.IN_SECTION)


def _context(check: Check, block: Json, at: str) -> None:
    for i, one in enumerate(check.items(block.get("elements"), f"{at}/elements", 10)):
        spot = f"{at}/elements/{i}"
        if isinstance(one, dict) and one.get("type") == "image":
            elements.image(check, one, spot)
        else:
            check.text(one, spot, 3000)


def _actions(check: Check, block: Json, at: str) -> None:
    listed = check.items(block.get("elements"), f"{at}/elements", 25)
    for i, one in enumerate(listed):
        elements.element(check, one, f"{at}/elements/{i}", elements.IN_ACTIONS)
    _unique_actions(check, listed, f"{at}/elements")


def _context_actions(check: Check, block: Json, at: str) -> None:
    for i, one in enumerate(check.items(block.get("elements"), f"{at}/elements", 5)):
        if isinstance(one, dict) and one.get("type") not in ("feedback_buttons", "icon_button"):
            check.note(f"{at}/elements/{i}/type", f"unsupported type: {one.get('type')}")


def _input(check: Check, block: Json, at: str) -> None:
    check.text(block.get("label"), f"{at}/label", 2000, is_plain=True)
    if block.get("hint") is not None:
        check.text(block["hint"], f"{at}/hint", 2000, is_plain=True)
    if block.get("element") is None:
        check.note(at, "missing required field: element")
    else:
        elements.element(check, block["element"], f"{at}/element", elements.IN_INPUT)


def _image(check: Check, block: Json, at: str) -> None:
    elements.image(check, block, at)
    if block.get("title") is not None:
        check.text(block["title"], f"{at}/title", 2000, is_plain=True)


def _markdown(check: Check, block: Json, at: str) -> None:
    check.needs(block, at, "text")
    check.length(block.get("text"), f"{at}/text", LONGEST_MARKDOWN)


_RICH = ("rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted")
_RICH_INLINE = (
    "text", "link", "user", "usergroup", "channel", "emoji", "date", "broadcast", "color", "team",
)  # fmt: skip


def _rich_text(check: Check, block: Json, at: str) -> None:
    for i, part in enumerate(check.items(block.get("elements"), f"{at}/elements", 1000, 0)):
        _rich_part(check, part, f"{at}/elements/{i}", _RICH)


def _rich_part(check: Check, part: Any, at: str, allowed: tuple[str, ...]) -> None:
    if not check.is_object(part, at):
        return
    kind = part.get("type")
    if kind not in allowed:
        check.note(f"{at}/type", f"unsupported type: {kind}")
        return
    inner = ("rich_text_section",) if kind == "rich_text_list" else _RICH_INLINE
    if kind == "rich_text_list":
        check.one_of(part.get("style"), f"{at}/style", ("bullet", "ordered"))
        check.needs(part, at, "style")
    for i, one in enumerate(check.items(part.get("elements"), f"{at}/elements", 5000, 0)):
        spot = f"{at}/elements/{i}"
        if kind == "rich_text_list":
            _rich_part(check, one, spot, inner)
        elif check.is_object(one, spot):
            if one.get("type") not in inner:
                check.note(f"{spot}/type", f"unsupported type: {one.get('type')}")
            check.needs(one, spot, *_RICH_NEEDS.get(str(one.get("type")), ()))


_RICH_NEEDS = {
    "text": ("text",),
    "link": ("url",),
    "user": ("user_id",),
    "usergroup": ("usergroup_id",),
    "channel": ("channel_id",),
    "emoji": ("name",),
    "date": ("timestamp", "format"),
    "broadcast": ("range",),
}


def _table(check: Check, block: Json, at: str) -> None:
    rows = check.items(block.get("rows"), f"{at}/rows", 100)
    for i, row in enumerate(rows):
        for j, cell in enumerate(check.items(row, f"{at}/rows/{i}", 20)):
            spot = f"{at}/rows/{i}/{j}"
            if not check.is_object(cell, spot):
                continue
            if cell.get("type") == "rich_text":
                _rich_text(check, cell, spot)
            elif cell.get("type") in ("raw_text", "raw_number"):
                check.needs(cell, spot, "text" if cell["type"] == "raw_text" else "value")
            else:
                check.note(f"{spot}/type", f"unsupported type: {cell.get('type')}")
    if block.get("column_settings") is not None:
        check.items(block["column_settings"], f"{at}/column_settings", 20)


def _table_length(block: Json) -> int:
    def words(thing: Any) -> int:
        if isinstance(thing, dict):
            return sum(len(v) if k == "text" and isinstance(v, str) else words(v) for k, v in thing.items())
        return sum(words(one) for one in thing) if isinstance(thing, list) else 0

    return words(block.get("rows"))


def _video(check: Check, block: Json, at: str) -> None:
    check.needs(block, at, "alt_text", "thumbnail_url", "video_url")
    check.text(block.get("title"), f"{at}/title", 200, is_plain=True)


def _file(check: Check, block: Json, at: str) -> None:
    check.needs(block, at, "external_id", "source")


def _alert(check: Check, block: Json, at: str) -> None:
    check.text(block.get("text"), f"{at}/text", 3000)
    check.one_of(block.get("level"), f"{at}/level", ("default", "info", "warning", "error", "success"))


def _divider(check: Check, block: Json, at: str) -> None:
    return None


_Rule = tuple[Callable[[Check, Json, str], None], tuple[str, ...], tuple[str, ...]]
_EVERYWHERE = (MESSAGE, MODAL, HOME)
#: block type -> its check, where it may stand, its fields
_RULES: dict[str, _Rule] = {
    "header": (_header, _EVERYWHERE, ("text", "level")),
    "section": (_section, _EVERYWHERE, ("text", "fields", "accessory", "expand")),
    "context": (_context, _EVERYWHERE, ("elements",)),
    "actions": (_actions, _EVERYWHERE, ("elements",)),
    "context_actions": (_context_actions, (MESSAGE,), ("elements",)),
    "divider": (_divider, _EVERYWHERE, ()),
    "image": (_image, _EVERYWHERE, ("image_url", "slack_file", "alt_text", "title")),
    "input": (_input, _EVERYWHERE, ("label", "element", "hint", "optional", "dispatch_action")),
    "markdown": (_markdown, (MESSAGE,), ("text",)),
    "rich_text": (_rich_text, _EVERYWHERE, ("elements",)),
    "table": (_table, (MESSAGE,), ("rows", "column_settings")),
    "video": (
        _video,
        _EVERYWHERE,
        (
            "alt_text", "author_name", "description", "provider_icon_url", "provider_name", "thumbnail_url",
            "title", "title_url", "video_url",
        ),
    ),
    "file": (_file, (MESSAGE,), ("external_id", "source")),
    "alert": (_alert, (MODAL,), ("text", "level")),
}  # fmt: skip
