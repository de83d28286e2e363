"""The stand-in refuses what Slack refuses: Block Kit's limits, named by path."""

from __future__ import annotations

from typing import Any

import pytest

from bot.standin import blockkit

LONG = "x" * 3001


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": "a", "text": plain("Go"), **more}


def option(value: str = "v", text: str = "T") -> dict[str, Any]:
    return {"text": plain(text), "value": value}


def actions(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": list(elements)}


def select(**more: Any) -> dict[str, Any]:
    return actions({"type": "static_select", "action_id": "s", **more})


SECTION = {"type": "section", "text": plain("x")}


def test_what_slack_takes_is_taken() -> None:
    rich = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "text", "text": "a"}, {"type": "user", "user_id": "U1"}],
            },
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "b"}]}],
            },
        ],
    }
    blocks = [
        {"type": "header", "text": plain("H")},
        {"type": "section", "fields": [plain("f")], "accessory": button()},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "*c*"}]},
        actions(
            button(style="danger", value="1"), {"type": "overflow", "action_id": "o", "options": [option()]}
        ),
        {"type": "divider"},
        {"type": "markdown", "text": "# m"},
        rich,
        {"type": "table", "rows": [[{"type": "raw_text", "text": "a"}]]},
        {"type": "image", "image_url": "https://a.example/x.png", "alt_text": "x"},
    ]
    assert blockkit.message_problems(blocks) == []


@pytest.mark.parametrize(
    ("block", "pointer"),
    [
        ({"type": "section"}, "/blocks/0"),
        ({"type": "section", "text": plain(LONG)}, "/blocks/0/text/text"),
        ({"type": "section", "text": plain("")}, "/blocks/0/text/text"),
        ({"type": "section", "text": {"type": "html", "text": "x"}}, "/blocks/0/text/type"),
        ({"type": "section", "text": plain("x"), "fields": [plain("f")] * 11}, "/blocks/0/fields"),
        ({"type": "section", "fields": [plain("x" * 2001)]}, "/blocks/0/fields/0/text"),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "/blocks/0/text/type"),
        ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text"),
        ({"type": "context", "elements": [plain("x")] * 11}, "/blocks/0/elements"),
        (actions(*[button(action_id=str(n)) for n in range(26)]), "/blocks/0/elements"),
        (actions(button(), button()), "/blocks/0/elements/1/action_id"),
        (actions(button(text=plain("x" * 76))), "/blocks/0/elements/0/text/text"),
        (actions(button(value="x" * 2001)), "/blocks/0/elements/0/value"),
        (actions(button(style="red")), "/blocks/0/elements/0/style"),
        (actions(button(action_id="x" * 256)), "/blocks/0/elements/0/action_id"),
        (actions({"type": "plain_text_input", "action_id": "a"}), "/blocks/0/elements/0/type"),
        (select(options=[]), "/blocks/0/elements/0/options"),
        (select(options=[option(str(n)) for n in range(101)]), "/blocks/0/elements/0/options"),
        (select(options=[option("x" * 151)]), "/blocks/0/elements/0/options/0/value"),
        (select(options=[option(text="x" * 76)]), "/blocks/0/elements/0/options/0/text/text"),
        (select(options=[option(), option()]), "/blocks/0/elements/0/options/1/value"),
        (select(options=[option()], initial_option=option("other")), "/blocks/0/elements/0"),
        ({"type": "image", "image_url": "https://a.example/x.png"}, "/blocks/0"),
        ({"type": "divider", "block_id": "x" * 256}, "/blocks/0/block_id"),
        ({"type": "divider", "colour": "red"}, "/blocks/0/colour"),
        ({"type": "sparkle"}, "/blocks/0/type"),
        ({"type": "alert", "text": plain("x")}, "/blocks/0/type"),
        ({"type": "markdown", "text": "x" * 12_001}, "/blocks/0/text"),
        ({"type": "table", "rows": [[{"type": "raw_text", "text": "x" * 10_001}]]}, "/blocks"),
        ({"type": "rich_text", "elements": [{"type": "text", "text": "x"}]}, "/blocks/0/elements/0/type"),
    ],
)
def test_a_broken_block_is_named_by_its_path(block: dict[str, Any], pointer: str) -> None:
    assert pointer in [p.pointer for p in blockkit.message_problems([block])]


def test_too_many_blocks_and_doubled_ids_are_refused() -> None:
    assert [p.pointer for p in blockkit.message_problems([{"type": "divider"}] * 51)] == ["/blocks"]
    doubled = [{"type": "divider", "block_id": "a"}] * 2
    assert [p.pointer for p in blockkit.message_problems(doubled)] == ["/blocks/1/block_id"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"title": plain("x" * 25)}, "/view/title/text"),
        ({"title": None}, "/view/title"),
        ({"submit": None}, "/view/submit"),
        ({"submit": plain("x" * 25)}, "/view/submit/text"),
        ({"callback_id": "x" * 256}, "/view/callback_id"),
        ({"private_metadata": "x" * 3001}, "/view/private_metadata"),
        ({"blocks": []}, "/view/blocks"),
        ({"blocks": [SECTION] * 101}, "/view/blocks"),
        ({"blocks": [{"type": "table", "rows": []}]}, "/view/blocks/0/type"),
        ({"type": "home"}, "/view/type"),
        ({"color": "red"}, "/view/color"),
    ],
)
def test_a_broken_modal_is_named_by_its_path(changes: dict[str, Any], pointer: str) -> None:
    field = {"type": "input", "label": plain("L"), "element": {"type": "plain_text_input", "action_id": "a"}}
    view = {"type": "modal", "title": plain("T"), "submit": plain("S"), "blocks": [field]}
    assert blockkit.view_problems(view, "modal") == []
    broken = {k: v for k, v in (view | changes).items() if v is not None}
    assert pointer in [p.pointer for p in blockkit.view_problems(broken, "modal")]
