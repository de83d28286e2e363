"""What people type when they err, paste, or try it on: answered with a sentence, and harmless for everybody.

Each test types a column of a table through the stand-in, then looks at everything Lantern said to Slack.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from markdown_it import MarkdownIt
from slack_bolt import BoltRequest

from bot.domain.pace import Pace
from bot.standin.faults import Call
from tests.bad_input import COLUMNS, ERRORS, TEXTS, THOROUGH
from tests.houses import Town, said

Json = dict[str, Any]

#: A Monday at noon, UTC; ana's zone is hours away from it.
NOON = datetime(2024, 6, 3, 12, 0, tzinfo=UTC)
#: What Slack takes for a ping of many.
PINGS = ("<!channel", "<!here", "<!everyone", "<!subteam")
SPEAKING = ("chat.postMessage", "chat.update", "chat.postEphemeral")
#: Slack's words for a payload that is wrong, whatever a person typed.
OUR_FAULT = {"invalid_blocks", "invalid_blocks_format", "msg_too_long", "invalid_arguments", "no_text"} | {
    "invalid_name_specials",
    "invalid_name",
    "invalid_name_maxlength",
    "too_long",
    "view_too_large",
}


class Errors(logging.Handler):
    """Keeps what is logged at ERROR or with a traceback."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR or record.exc_info:
            self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    where = tmp_path_factory.mktemp("bad") / "lantern.db"
    with Town(f"sqlite:///{where}", pace=Pace(time.monotonic, {}, {})) as town:
        town.set_clock(NOON)
        town.opened("/incident open logins fail for half of the users sev2")
        town.ana.types("/log the second entry", channel(town))
        yield town


def channel(town: Town, number: int = 1) -> str:
    found = town.incident(number).channel_id
    assert found is not None
    return found


def opened(town: Town, line: str) -> int:
    """Open an incident; gives its number once its channel is there."""
    found = re.search(r"inc-(\d+)", said(town.ana.types(line, "#general")))
    assert found is not None
    town.settled(60)
    return int(found[1])


def _texts(found: Any) -> Iterator[str]:
    """Every text that Slack reads as mrkdwn. plain_text is shown letter by letter (Block Kit, text objects)."""
    if isinstance(found, dict):
        if found.get("type") == "plain_text":
            return
        for inner in found.values():
            yield from _texts(inner)
    elif isinstance(found, list):
        for inner in found:
            yield from _texts(inner)
    elif isinstance(found, str):
        yield found


def pings(call: Call) -> list[str]:
    blocks = call.args.get("blocks") or "[]"
    spoken = [
        str(call.args.get("text") or ""),
        *_texts(json.loads(blocks) if isinstance(blocks, str) else blocks),
    ]
    return [text[:200] for text in spoken if any(ping in text for ping in PINGS)]


@contextmanager
def watched(town: Town) -> Iterator[list[str]]:
    """Collects what is wrong: add to the list; at the end the log and every call to Slack are looked through."""
    wrong: list[str] = []
    errors, root = Errors(), logging.getLogger()
    root.addHandler(errors)
    before = len(town.standin.calls())
    try:
        yield wrong
        town.settled(60)
    finally:
        root.removeHandler(errors)
    calls = town.standin.calls()[before:]
    assert wrong == []
    assert errors.lines == []
    assert [f"{c.method}: {c.error}" for c in calls if (c.error or "").split(":")[0] in OUR_FAULT] == []
    assert [(c.method, pings(c)) for c in calls if c.method in SPEAKING and pings(c)] == []


def faults_of(answer: Json, done: str) -> list[str]:
    """What is wrong with the answer to a command."""
    text = said(answer)
    if not text:
        return ["it says nothing"]
    found = []
    if len(text) > 4000:
        found.append(f"it is {len(text)} characters long")
    if "Traceback" in text or "went wrong inside" in text:
        found.append("it broke")
    if any(ping in text for ping in PINGS):
        found.append("it pings")
    if not re.search(done, text) and not re.search(r"`[^`]*[\w?][^`]*`", text):
        found.append("it does not say what to do")
    return [f"{one}: {text[:300]!r}" for one in found]


def type_and_judge(town: Town, line: str, where: str, done: str) -> list[str]:
    answer = town.ana.types(line, where)
    if answer["answer"] is None:
        # A form was opened instead.
        views = town.ana.views()
        if not views:
            return ["no answer and no form"]
        town.ana.closes(views[-1])
        return []
    return faults_of(answer, done)


@pytest.mark.parametrize("template", COLUMNS)
def test_whatever_is_typed_gets_a_sentence_and_pings_nobody(here: Town, template: str) -> None:
    with watched(here) as wrong:
        third = list(COLUMNS).index(template)
        for at, (name, text) in enumerate(TEXTS.items()):
            if template not in THOROUGH and (at + third) % 4:
                continue
            line = template.replace("{}", text)
            found = type_and_judge(here, line, channel(here), COLUMNS[template])
            wrong += [f"{template} with {name}: {one}" for one in found]


@pytest.fixture(scope="module")
def places(here: Town) -> dict[str, str]:
    here.chloe.act("set_profile", deleted=True)
    over = channel(here, opened(here, "/incident open a false alarm sev4"))
    assert "cancelled" in said(here.ana.types("/incident cancel false alarm", over))
    here.settled()
    return {"general": "#general", "incident": channel(here), "over": over}


@pytest.mark.parametrize(
    ("where", "typed", "answer"), ERRORS, ids=[f"{one[0]}-{one[1]}"[:70] for one in ERRORS]
)
def test_an_error_is_answered_with_what_to_do(
    here: Town, places: dict[str, str], where: str, typed: str, answer: str
) -> None:
    line = typed.replace("GONE", here.chloe.id).replace("BOT", here.app.bot_user_id)
    before = len(here.entries())
    given = here.ana.types(line, places[where])
    text = said(given)
    assert answer in text, text
    assert faults_of(given, r"Logged \*#|is open") == []
    if "Logged" not in text:
        assert len(here.entries()) == before, "a refusal leaves nothing behind"


def test_an_archived_channel_takes_nothing_more_and_says_why(here: Town) -> None:
    number = opened(here, "/incident open to be archived sev4")
    place = channel(here, number)
    here.ana.types("/incident cancel", place)
    assert "will be archived" in said(here.ana.types("/incident archive", place))
    here.settled()
    assert here.incident(number).is_archived
    # Slack lets nobody type there any more; a request that was on its way still arrives.
    with watched(here):
        for kind, text in (("/log", "too late"), ("/log", "edit 2 late"), ("/incident", "update late")):
            late = here.standin.last_delivery("command").payload | {
                "command": kind,
                "text": text,
                "channel_id": place,
                "trigger_id": f"late.{kind}.{text}",
            }
            answer = here.house.door.app.dispatch(BoltRequest(mode="socket_mode", body=late))
            assert "Traceback" not in answer.body
            assert "archived" in answer.body, answer.body
    assert "late" not in here.entries(number)[-1].text


def test_the_forms_take_whatever_is_typed(here: Town) -> None:
    place = channel(here)
    with watched(here) as wrong:
        for at, (name, text) in enumerate(TEXTS.items()):
            forms = (
                ("/log", {"text": text}),
                ("/incident close", {"impact": text, "began": text[:100]}),
                ("/log", {"text": "restarted auth2", "time": text[:100]}),
                ("/incident update", {"text": text}),
                ("/log edit 2", {"text": text, "time": text[:100]}),
                ("/incident", {"title": text[:130]}),
            )
            # Two forms a text, in turn: each form meets a third of the table.
            for command, values in (forms[at % 6], forms[(at + 3) % 6]):
                wrong += [f"{command} form with {name}: {one}" for one in fill(here, command, place, values)]


def fill(town: Town, command: str, place: str, values: Json) -> list[str]:
    """Submit a form. What is wrong: it neither closed nor told what to do; `close` is never to succeed."""
    town.ana.types(command, place)
    view = town.ana.views()[-1]
    asked = dict(values)
    if command == "/incident close":
        asked["ended"] = "no time at all"
    answer = town.ana.submits(view, asked)
    if answer["closed"]:
        return [] if command != "/incident close" else ["it closed"]
    told = " ".join((answer.get("errors") or {}).values())
    town.ana.closes(view)
    if not told or len(told) > 2000 or "Traceback" in told:
        return [f"it stays open and says {told[:200]!r}"]
    return []


def test_a_button_with_a_foreign_value_says_that_it_is_old(here: Town) -> None:
    number = opened(here, "/incident open buttons of old cards sev4")
    place, header_ts = channel(here, number), here.incident(number).header_ts
    kept = here.standin.workspace.channels[place].messages[str(header_ts)]
    values = (
        "",
        "x",
        "0",
        "-1",
        "99999",
        "9" * 40,
        "\u00b2",
        "\u0663",
        "1:closed",
        "1:x",
        "<!channel>",
        "1;--",
    )
    with watched(here) as wrong:
        for block in kept.blocks:
            for element in block.get("elements", []):
                if element.get("type") != "button":
                    continue
                own = element["value"]
                for value in values:
                    element["value"] = value
                    here.ana.act(
                        "click",
                        channel=place,
                        ts=header_ts,
                        block_id=block["block_id"],
                        action_id=element["action_id"],
                    )
                    # Some forms know nothing yet; a foreign incident must not open one.
                    for view in here.ana.views():
                        if value not in ("1:closed", "1:x"):
                            wrong.append(f"{element['action_id']} of {value!r} opened {view['callback_id']}")
                        here.ana.closes(view)
                element["value"] = own
    told = [one["text"] for one in here.ana.messages(place) if one.get("ephemeral")]
    assert any("older card" in text for text in told), told
    assert any("There is no incident" in text for text in told), told


def test_a_message_with_many_strangely_named_pictures_becomes_an_entry(here: Town) -> None:
    place = channel(here)
    name = "\U0001f525\"\\<&>'" * 20 + ".png"
    with watched(here):
        ts = str(here.ana.uploads(place, name, b"\x89PNG", text="<!channel> see")["ts"])
        kept = here.standin.workspace.channels[place].messages[ts]
        kept.files = kept.files * 8
        here.ana.message_shortcut("add_to_timeline", ts, place)
        view = here.ana.views()[-1]
        assert view["callback_id"] == "entry", view
        assert here.ana.submits(view)["closed"]
    assert here.entries()[-1].images


def test_every_channel_has_a_name_that_slack_takes_and_each_incident_its_own(here: Town) -> None:
    with watched(here):
        for text in (
            "\U0001f525",
            "\u767b\u5f55\u5931\u8d25",
            "---",
            "{number}",
            "../../etc/passwd",
            "x" * 130,
        ):
            assert "Opening" in said(here.ana.types(f"/incident open {text}", "#general")), text
    names = [
        one.args["name"] for one in here.standin.calls("conversations.create") if one.answer_ok and one.args
    ]
    assert len(names) >= 6
    for name in names:
        assert re.fullmatch(r"(drill-)?inc-\d{4}[a-z0-9_-]{0,72}", name), name
        assert len(name) <= 80 and "--" not in name.removeprefix("inc-")
    assert len(set(names)) == len(names)


def _inert(markdown: str) -> None:
    """Nothing that was typed became a heading, a tag, a picture, or a link to a script."""
    headings = []
    tokens = MarkdownIt("commonmark").parse(markdown)
    for at, token in enumerate(tokens):
        assert token.type != "html_block", token.content[:200]
        if token.type == "heading_open":
            headings.append(tokens[at + 1].content)
        for child in token.children or []:
            assert child.type not in {"html_inline", "image"}, child.content[:200]
            if child.type == "link_open":
                assert str(child.attrGet("href")).startswith(("http://", "https://", "mailto:")), child.attrs
    assert not [one for one in headings if one == "Heading"]


def test_the_draft_of_all_that_is_inert(here: Town) -> None:
    number = opened(here, "/incident open <!channel> <script>alert(1)</script> {{ 7*7 }} sev4")
    place = channel(here, number)
    with watched(here):
        for text in TEXTS.values():
            for command in ("/log", "/incident lesson went-badly", "/incident follow-up"):
                here.ana.types(f"{command} {text}", place)
                for view in here.ana.views():
                    here.ana.closes(view)
        for fact in ("impact", "cause", "fix"):
            here.ana.types(f"/incident {fact} # Heading <img src=x onerror=alert(1)> {{{{ 7*7 }}}}", place)
        here.ana.types("/postmortem compile", place)
    draft = here.draft(number)
    _inert(draft)
    # Markdown's star is escaped; the sum is not done.
    assert r"{{ 7\*7 }}" in draft
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", draft)
    for ping in PINGS:
        assert ping not in draft
