"""What the page makes of Slack's mrkdwn and of Markdown, row by row, drawn in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from bot.standin.server import Standin
from tests.browsing import chromium

DRAW = """async ([path, call, rows]) => {
  const { [call]: draw } = await import(path);
  const ctx = {
    me: "U1", zone: "Europe/Berlin", now: () => 1717410600, openChannel() {},
    user: (id) => (id === "U1" ? { name: "ana" } : undefined),
    channel: (id) => (id === "C1" ? { name: "ops" } : undefined),
  };
  return rows.map((text) => {
    const box = document.createElement("div");
    box.append(...[draw(text, ctx)].flat());
    return box.innerHTML.replace(/ (class|title|role|target|rel|type|aria-label|data-language)="[^"]*"/g, "");
  });
}"""
MRKDWN = {
    "plain *bold* _it_ ~gone~ `code`":
        "plain <strong>bold</strong> <em>it</em> <s>gone</s> <code>code</code>",
    "*bold with _both_*": "<strong>bold with <em>both</em></strong>",
    "2*3*4 snake_case_name a ~ b ~ c * d *": "2*3*4 snake_case_name a ~ b ~ c * d *",
    "(*in brackets*), *end*.": "(<strong>in brackets</strong>), <strong>end</strong>.",
    "&lt;b&gt; &amp;amp; <b>": "&lt;b&gt; &amp;amp; &lt;b&gt;",
    "`*not bold* &lt;x&gt;`": "<code>*not bold* &lt;x&gt;</code>",
    "```a\n*b*\n```after": "<pre>a\n*b*</pre>after",
    "one ``` never closed": "one ``` never closed",
    "&gt; said\n&gt; more\nafter": "<blockquote>said<br>more</blockquote>after",
    "a\nb": "a<br>b",
    "<https://x.org/?a=1&amp;b=2|*the* page>": '<a href="https://x.org/?a=1&amp;b=2"><strong>the</strong> page</a>',
    "<https://x.org>": '<a href="https://x.org">https://x.org</a>',
    "<mailto:a@x.org|a@x.org>": '<a href="mailto:a@x.org">a@x.org</a>',
    "<javascript:alert(1)|go>": "<span>go</span>",
    "<@U1> <@U9|zoe> <@U8>": "<span>@ana</span> <span>@zoe</span> <span>@U8</span>",
    "<#C1> <#C9|gone>": "<button>#ops</button> <span>#gone</span>",
    "<!here> <!subteam^S1|@oncall>": "<span>@here</span> <span>@oncall</span>",
    "<!date^1717410600^{date_short} {time} {nope}|x>": "<time>Jun 3, 2024 12:30 PM {nope}</time>",
    "<!date^1717410600^{date_pretty} at {time_secs}^https://x.org|x>":
        '<a href="https://x.org"><time>today at 12:30:00 PM</time></a>',
    ":fire: :no_such_thing: 10:30:15": "<span>🔥</span> :no_such_thing: 10:30:15",
    "• one\n• two": "• one<br>• two",
}  # fmt: skip
MARKDOWN = {
    "# One *two*": "<h1>One <em>two</em></h1>",
    "a **b** `c` ~~d~~ __e__ snake_case_name":
        "<p>a <strong>b</strong> <code>c</code> <s>d</s> <strong>e</strong> snake_case_name</p>",
    "**bold with `code` and *it***": "<p><strong>bold with <code>code</code> and <em>it</em></strong></p>",
    "[x](https://x.org) [y](javascript:alert) <https://z.org>":
        '<p><a href="https://x.org">x</a> <span>y</span> <a href="https://z.org">https://z.org</a></p>',
    "see https://x.org/a_b.": '<p>see <a href="https://x.org/a_b">https://x.org/a_b</a>.</p>',
    "<img src=x onerror=alert(1)>": "<p>&lt;img src=x onerror=alert(1)&gt;</p>",
    r"\*not\* \<b\> &lt;i&gt;": "<p>*not* &lt;b&gt; &lt;i&gt;</p>",
    "- a\n  - b\n- c": "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>",
    "3. a\n4. b": '<ol start="3"><li>a</li><li>b</li></ol>',
    "> q\n> r": "<blockquote><p>q\nr</p></blockquote>",
    "```sh\n# no <h1>\n```": "<pre># no &lt;h1&gt;</pre>",
    "| a | b |\n|---|--:|\n| `x\\|y` | 2 |":
        "<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td><code>x|y</code></td><td>2</td></tr>"
        "</tbody></table></div>",
    "one\ntwo\n\nthree": "<p>one\ntwo</p><p>three</p>",
    "---": "<hr>",
}  # fmt: skip


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with Standin() as standin, chromium() as browser:
        page = browser.new_page()
        page.goto(standin.url)
        yield page


@pytest.mark.parametrize(
    ("path", "call", "rows"),
    [("/static/mrkdwn.js", "mrkdwn", MRKDWN), ("/static/markdown.js", "markdown", MARKDOWN)],
    ids=["mrkdwn", "markdown"],
)
def test_marked_up_text_is_drawn_as_slack_reads_it(
    page: Page, path: str, call: str, rows: dict[str, str]
) -> None:
    drawn = page.evaluate(DRAW, [path, call, list(rows)])
    if call == "markdown":
        drawn = [re.sub(r"^<div>(.*)</div>$", r"\1", one, flags=re.DOTALL) for one in drawn]
    assert dict(zip(rows, drawn, strict=True)) == rows
