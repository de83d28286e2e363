from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mrkdwn import to_mrkdwn


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("**bold** and *slanted* and `a < b`", "*bold* and _slanted_ and `a &lt; b`"),
        ("a & <!channel> <@U1>", "a &amp; &lt;!channel&gt; &lt;@U1&gt;"),
        ("[a page](https://example.com/?a=1&b=2)", "<https://example.com/?a=1&amp;b=2|a page>"),
        ("go to [Parked](lb-servers-parked.md#1-list)", "go to Parked (`/runbook start lb-servers-parked`)"),
        ("go to [3](#3-put-it-back)", "go to step 3"),
        ("go to [there](#3-put-it-back)", "go to there (step 3)"),
        ("[x](javascript:alert)", "[x](javascript:alert)"),
        ("[x](file:///etc/passwd)", "[x](file:///etc/passwd)"),
        ("- one\n- two\n  - inner", "• one\n• two\n    • inner"),
        ("3. one\n4. two", "3. one\n4. two"),
        ("one\ntwo\n\nthree", "one two\n\nthree"),
        ("```text\na <b>\n```", "```\na &lt;b&gt;\n```"),
        ("| A | Bb |\n| - | - |\n| `aa` | [2](#2-y) |", "```\nA   Bb\n--  ------\naa  step 2\n```"),
        ("> quoted\n> text", "> quoted text"),
        ("<!-- hidden -->", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_markdown_as_slack_shows_it(markdown: str, mrkdwn: str) -> None:
    assert to_mrkdwn(markdown) == mrkdwn


def test_a_table_too_wide_for_slack_becomes_a_list() -> None:
    table = f"| See | Do |\n| - | - |\n| {'long ' * 20}| [2](#2-it) |"
    assert to_mrkdwn(table) == f"*See — Do*\n• {('long ' * 20).strip()} — step 2"


@settings(deadline=None)
@given(st.text(max_size=200))
def test_no_text_can_mention_a_channel_or_raise(text: str) -> None:
    shown = to_mrkdwn(text + " <!here> <@U1>")
    assert "<!" not in shown
    assert "<@" not in shown


def test_a_table_cell_names_the_runbook_it_links_to() -> None:
    shown = to_mrkdwn("| A |\n| - |\n| [x](lb-y.md) |")
    assert "x (/runbook start lb-y)" in shown
