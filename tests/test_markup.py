"""Slack's markup written as plain text, as Markdown, and as mrkdwn that pings nobody."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.domain.emoji import CHARACTERS
from bot.domain.markup import (
    channel_refs,
    escape,
    from_plain,
    mentions,
    to_markdown,
    to_mrkdwn_safe,
    to_plain,
)

PEOPLE = {"U1": "Ana *Maria*", "U2": "ben"}
CHANNELS = {"C1": "incidents"}


@pytest.mark.parametrize(
    ("typed", "plain", "markdown"),
    [
        ("hello", "hello", "hello"),
        ("<@U2> looks", "@ben looks", "@ben looks"),
        ("<@U1> looks", "@Ana *Maria* looks", r"@Ana \*Maria\* looks"),
        ("<@U9|eve> looks", "@eve looks", "@eve looks"),
        ("<@W9> looks", "@W9 looks", "@W9 looks"),
        ("in <#C1|old>", "in #incidents", "in #incidents"),
        ("<#C9|general>", "#general", r"\#general"),
        ("<#C9>", "#C9", r"\#C9"),
        ("<!here> <!channel|channel>", "@here @channel", "@here @channel"),
        ("<!subteam^S1|@sre>", "@sre", "@sre"),
        ("<!subteam^S1>", "@S1", "@S1"),
        ("at <!date^1717410600^{date_short}|noon>", "at 3 Jun 2024 10:30 UTC", "at 3 Jun 2024 10:30 UTC"),
        ("<!date^999999999999^{date}|some day>", "some day", "some day"),
        (
            "<https://a.io/x?a=1&amp;b=2>",
            "https://a.io/x?a=1&b=2",
            "[https://a.io/x?a=1&b=2](https://a.io/x?a=1&b=2)",
        ),
        ("<https://a.io|the graph>", "the graph (https://a.io)", "[the graph](https://a.io)"),
        ("<https://a.io/a(b)|x [1]>", "x [1] (https://a.io/a(b))", r"[x \[1\]](https://a.io/a%28b%29)"),
        ("<mailto:a@b.io|a@b.io>", "a@b.io", "[a@b.io](mailto:a@b.io)"),
        ("look!<https://a.io|x>", "look!x (https://a.io)", r"look\![x](https://a.io)"),
        ("<javascript:alert(1)|x>", "<javascript:alert(1)|x>", r"&lt;javascript:alert(1)\|x&gt;"),
        ("*bold* _it_ ~gone~", "bold it gone", "**bold** _it_ ~~gone~~"),
        ("*bold _and it_*", "bold and it", "**bold _and it_**"),
        ("*<@U2> and :fire:*", "@ben and 🔥", "**@ben and 🔥**"),
        ("2 * 3 * 4", "2 * 3 * 4", r"2 \* 3 \* 4"),
        ("auth_service_v2 up", "auth_service_v2 up", "auth_service_v2 up"),
        ("run `rm *_x_ &lt;f&gt;`", "run rm *_x_ <f>", "run `rm *_x_ <f>`"),
        ("`see <https://a.io>`", "see https://a.io", "`see https://a.io`"),
        ("```\na &lt; b\n# c\n```", "a < b\n# c", "```\na < b\n# c\n```"),
        ("so:```x```then", "so:\nx\nthen", "so:\n```\nx\n```\nthen"),
        ("&gt; said\nafter", "> said\nafter", "> said\n\nafter"),
        ("&gt; one\n&gt; two", "> one\n> two", "> one  \n> two"),
        ("&gt;&gt;&gt;all\nof it", "> all\n> of it", "> all  \n> of it"),
        ("a\nb\n\nc", "a\nb\n\nc", "a  \nb\n\nc"),
        ("# head", "# head", r"\# head"),
        ("- item\n1. one\n+ x", "- item\n1. one\n+ x", "\\- item  \n1\\. one  \n\\+ x"),
        ("title\n===", "title\n===", "title  \n\\==="),
        ("    code", "    code", "code"),
        ("-5 nodes", "-5 nodes", "-5 nodes"),
        ("a | b", "a | b", r"a \| b"),
        ("&lt;b&gt; &amp;amp; 1 &lt; 2", "<b> &amp; 1 < 2", "&lt;b&gt; &amp;amp; 1 &lt; 2"),
        ("a &amp; b", "a & b", "a & b"),
        (":fire: :wave::skin-tone-3: :our-logo:", "🔥 👋🏼 :our-logo:", "🔥 👋🏼 :our-logo:"),
        ("at 10:30:45", "at 10:30:45", "at 10:30:45"),
        ("[x](https://a.io)", "[x](https://a.io)", r"\[x\](https://a.io)"),
        ("", "", ""),
    ],
)
def test_markup_is_written_as_plain_text_and_as_markdown(typed: str, plain: str, markdown: str) -> None:
    assert to_plain(typed, PEOPLE, CHANNELS) == plain
    assert to_markdown(typed, PEOPLE, CHANNELS) == markdown


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("<!channel> <!here|here> <!everyone>", "@channel @here @everyone"),
        ("<!subteam^S1|@sre> <!subteam^S1>", "@sre @S1"),
        ("`<!channel>`", "`@channel`"),
        ("<<!channel>>", "&lt;@channel&gt;"),
        ("<https://a.io|<!channel>>", "&lt;https://a.io|@channel&gt;"),
        ("<@U1> <@U1|ana> <#C1|x>", "<@U1> <@U1|ana> <#C1>"),
        ("<https://a.io?a=1&b=2|x>", "<https://a.io?a=1&amp;b=2|x>"),
        ("<!date^1717410600^{date}^https://a.io|x>", "<!date^1717410600^{date}^https://a.io|x>"),
        ("<!unheard|x> <slack://x>", "&lt;!unheard|x&gt; &lt;slack://x&gt;"),
        ("a < b > c & d &amp; &copy;", "a &lt; b &gt; c &amp; d &amp; &amp;copy;"),
        (":fire: *b*", ":fire: *b*"),
    ],
)
def test_stored_text_shown_again_pings_no_channel(stored: str, shown: str) -> None:
    assert to_mrkdwn_safe(stored) == shown


def test_plain_text_needs_three_characters_escaped() -> None:
    assert escape("a < b & *c* > `d`") == "a &lt; b &amp; *c* &gt; `d`"


def test_web_addresses_typed_plainly_become_links() -> None:
    assert (
        from_plain("see https://a.io/x?a=1&b=2, <!here>") == "see <https://a.io/x?a=1&amp;b=2>, &lt;!here&gt;"
    )
    assert from_plain("(https://a.io/x).") == "(<https://a.io/x>)."


def test_the_people_and_channels_of_a_text_are_each_given_once() -> None:
    text = "<@U2> and <@U1|ana> and <@U2>, see <#C1|x> &lt;@U7&gt; <!subteam^S1>"
    assert mentions(text) == ["U2", "U1"]
    assert channel_refs(text) == ["C1"]


def test_more_than_a_hundred_emoji_are_known() -> None:
    assert len(CHARACTERS) > 100
    assert all(re.fullmatch(r"[a-z0-9_+-]+", name) for name in CHARACTERS)


PIECES = st.sampled_from(
    [
        *"*_~`<>[]()!#|=-+.:\\&;/^@ \t\n\r\x00\x0b1a",
        *(
            "```",
            "<@U1>",
            "<@U9|a>",
            "<#C1>",
            "<!here>",
            "<!channel|x>",
            "<https://a.io|x>",
            "<https://",
            "<http://a)b|",
        ),
        *(
            "<mailto:a@b|c>",
            "<javascript:x|y>",
            "javascript:",
            "data:",
            "&gt;",
            "&lt;",
            "&amp;",
            "&gt;&gt;&gt;",
        ),
        *(
            "<!date^1^x|y>",
            ":fire:",
            "<b>",
            "</b>",
            "<!--",
            "-->",
            "<img src=x>",
            "<?x?>",
            "<![CDATA[",
            "---",
            "===",
            "~~~",
        ),
        *(
            "1. ",
            "    ",
            "[a]: http://b",
            "![a](http://b)",
            "[a](javascript:b)",
            "|-|-|",
            "<div>",
            "&#60;",
            "é",
            "\u00a0",
        ),
    ]
)
TYPED = st.one_of(st.text(), st.lists(PIECES, max_size=14).map("".join))
INERT = {"paragraph_open", "paragraph_close", "inline", "fence", "blockquote_open", "blockquote_close"}
INERT |= {
    "text",
    "softbreak",
    "hardbreak",
    "code_inline",
    "em_open",
    "em_close",
    "strong_open",
    "strong_close",
}
INERT |= {"s_open", "s_close", "link_open", "link_close", "text_special"}


def every_token(markdown: str) -> list[Token]:
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown)
    return tokens + [child for token in tokens for child in token.children or []]


@given(TYPED, TYPED)
@example("a\n> b\n---", "")
@example("<@U1>1. one", "ana\n")
@example("`<@U1>`", "`<b>")
@example("!<https://a.io|x>", "![")
@example("<https://a.io|x](javascript:y)>", "")
def test_nothing_typed_becomes_more_than_text_in_markdown(typed: str, name: str) -> None:
    for token in every_token(to_markdown(typed, {"U1": name}, {"C1": name})):
        assert token.type in INERT
        if token.type == "link_open":
            assert re.match(r"https?://|mailto:", str(token.attrs["href"]), re.IGNORECASE)


@given(TYPED)
def test_in_a_list_item_the_text_stays_in_its_item(typed: str) -> None:
    indented = to_markdown(typed, {}, {}).replace("\n", "\n  ")
    tokens = MarkdownIt("commonmark", {"html": True}).parse(f"- 10:30 {indented}\n- next\n")
    assert [token.type for token in tokens if token.level == 0] == ["bullet_list_open", "bullet_list_close"]
    assert sum(token.type == "list_item_open" for token in tokens) == 2


@given(TYPED)
def test_what_is_shown_again_can_ping_nobody_but_single_people(stored: str) -> None:
    shown = to_mrkdwn_safe(stored)
    for inside in re.findall(r"<([^<>]*)>", shown):
        assert re.match(r"@[UW]|#|!date\^|https?://|mailto:", inside, re.IGNORECASE)
    assert not re.search(r"&(?!amp;|lt;|gt;)", shown)
    assert to_mrkdwn_safe(shown) == shown


@given(st.text(alphabet=st.characters(exclude_characters="*_~`:>\r\x00", exclude_categories=["Cs"])))
def test_plain_text_comes_back_from_markup_as_it_was(plain: str) -> None:
    assert to_plain(escape(plain), {}, {}) == plain.strip("\n")
    assert to_plain(from_plain(plain), {}, {}) == plain.strip("\n")


@pytest.mark.parametrize("mark", ["*", "_ ", "`", "<", "<@U1", "*a", "```", "&gt;", "\x00", ":a", "!", "~_*"])
def test_a_very_long_odd_text_is_written_at_once(mark: str) -> None:
    text = mark * (40_000 // len(mark))
    assert to_markdown(text, {}, {}) is not None
    assert to_mrkdwn_safe(text)
