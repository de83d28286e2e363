"""What each reader promises of any text at all. A promise that does not hold is an AssertionError."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from markdown_it import MarkdownIt

from bot.domain import clock, day, due, line, markup, when, zone
from bot.mrkdwn import to_mrkdwn
from bot.runbooks.frozen import from_dict, to_dict
from bot.runbooks.reading import read_runbook
from bot.slack import ask, payload, signature

Malformed = payload.Malformed

NOW = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 1)
#: Clocks are put back on this day; and there is half an hour in it.
BERLIN, ADELAIDE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Adelaide")
PEOPLE, CHANNELS = {"U0ANA00000": "ana <!here>"}, {"C1": "inc-1"}
PINGS = re.compile(r"<!(?:channel|here|everyone|subteam)")
#: A few texts that lead the fuzzer deep into each reader.
SEEDS = [
    *(
        "10:30 detection: alarms",
        "yesterday 22:10 UTC note: x",
        "2026-10-31T10:30:00+01:00 x",
        "half an hour ago x",
    ),
    *(
        "*bold* _it_ ~no~ `code` ```block``` <https://a.example|b>",
        "&gt;&gt;&gt; quote\n&gt; more",
        "next friday",
    ),
    *(
        "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n1. x\n   ```sh\n   y\n   ```\n",
        "3rd of november 2026",
        "eom",
    ),
    *(
        "payload=%7B%22type%22%3A%22block_actions%22%7D",
        "command=%2Flog&text=x&user_id=U1&channel_id=C1&trigger_id=1",
    ),
    '{"type":"event_callback","event_id":"E1","event":{"type":"pin_added","user":"U1","item":{"ts":"1.2"}}}',
    '{"type":"view_submission","user":{"id":"U1"},"view":{"id":"V","type":"modal","callback_id":"entry"}}',
]


def read_when(text: str) -> None:
    for place in (UTC, BERLIN, ADELAIDE):
        moment, rest = when.take_moment(text, now=NOW, zone=place)
        assert text.strip().endswith(rest.strip()), "the rest is no rest of the text"
        if moment is None:
            assert rest == text, "no time was taken and the text is another"
            continue
        assert moment.tzinfo is UTC and NOW - when.OLDEST - timedelta(days=2) < moment <= NOW + when.SKEW
        again = when.read_moment(f"{moment:%Y-%m-%d %H:%M} UTC", now=NOW, zone=place)
        assert again == moment.replace(second=0, microsecond=0), "said again it is another moment"


def read_clock(text: str) -> None:
    found, rest = clock.take_clock(text)
    assert text.endswith(rest) and (found is not None or rest == text)
    clock.bare_number(text)


def read_day(text: str) -> None:
    found, rest = day.take_day(text)
    assert text.endswith(rest) and (found is not None or rest == text)
    if found is not None:
        assert found.candidates(TODAY)
    day.slashed(text)


def read_zone(text: str) -> None:
    found, rest = zone.take_zone(text)
    assert text.endswith(rest) and (found is not None or rest == text)
    if found is not None:
        assert NOW.astimezone(found.zone).utcoffset() is not None
    assert NOW.astimezone(zone.zone_named(text)).utcoffset() is not None


def read_due(text: str) -> None:
    found = due.read_due_day(text, today=TODAY)
    assert found is None or found >= TODAY, "a day that has passed"


def read_log_line(text: str) -> None:
    found = line.read_line(text, now=NOW, zone=BERLIN)
    assert found.text.strip(), "an entry without words"
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]", found.text)
    assert line.clean(line.clean(text)) == line.clean(text)


def write_markup(text: str) -> None:
    safe = markup.to_mrkdwn_safe(text)
    assert not PINGS.search(safe), "safe mrkdwn pings"
    assert markup.to_mrkdwn_safe(safe) == safe, "safe twice is other than safe once"
    for plain in (markup.escape(text), markup.from_plain(text)):
        assert not PINGS.search(plain) and not markup.mentions(plain) and not markup.channel_refs(plain)
    assert "\x00" not in markup.to_plain(text, PEOPLE, CHANNELS)
    if not re.search(r"[*_~`:>\r\x00]|^\n|\n$", text):
        assert markup.to_plain(markup.escape(text), {}, {}) == text, "escaped and read it is another text"


def write_markdown(text: str) -> None:
    for token in MarkdownIt("commonmark").parse(markup.to_markdown(text, PEOPLE, CHANNELS)):
        kinds = {token.type, *(child.type for child in token.children or [])}
        assert not kinds & {"html_block", "html_inline", "image", "heading_open", "hr"}, kinds
        for child in token.children or []:
            if child.type == "link_open":
                assert str(child.attrGet("href")).lower().startswith(("http://", "https://", "mailto:"))


def write_mrkdwn(text: str) -> None:
    assert not re.search(r"<[!@#]", to_mrkdwn(text)), "a runbook mentions somebody"


_FOLDER = tempfile.TemporaryDirectory(prefix="runbooks-")
_FILE = Path(_FOLDER.name) / "lb-fuzz.md"


def read_runbook_file(text: str) -> None:
    _FILE.write_bytes(text.encode("utf-8", "surrogatepass"))
    found, problems = read_runbook(_FILE, today=TODAY)
    assert found is not None or problems, "no runbook and not a word why"
    assert all(one.line >= 1 and one.sentence for one in problems)
    if found is not None:
        assert from_dict(to_dict(found)) == found


def read_payload(text: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    kind = "application/json" if text[:1] in "{[ " else "application/x-www-form-urlencoded"
    body = payload.read_body(kind, content)
    for read in (ask.of_command, ask.of_shortcut, ask.of_action, ask.of_view, ask.of_event):
        read(body)


_SEALS = signature.Signatures("secret", lambda: 1_717_410_600.0)


def read_signature(text: str) -> None:
    stamp, _, mark = text.partition("\n")
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": mark}
    assert _SEALS.why_not(headers, b"x"), "a forged request was let in"


#: Name -> reader. To those of Markdown the time of markdown-it is added.
PROMISES: dict[str, Callable[[str], None]] = {
    "when": read_when,
    "clock": read_clock,
    "day": read_day,
    "zone": read_zone,
    "due": read_due,
    "line": read_log_line,
    "markup": write_markup,
    "markdown": write_markdown,
    "mrkdwn": write_mrkdwn,
    "runbook": read_runbook_file,
    "payload": read_payload,
    "signature": read_signature,
}
