"""Requests that nobody thought of, a small and steady share of `python -m tests.fuzz`; and what it has found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.domain.incident import Severity
from bot.domain.people import Person
from bot.domain.refusals import Refusal
from bot.domain.sample import sample_facts
from bot.domain.zoned import zone_of
from bot.slack.ask import Ask, address, profile_name, read_message
from bot.slack.door import Door
from bot.slack.events import EVENTS
from bot.slack.modals import entry as entry_form
from bot.slack.modals import open_incident as opening_form
from bot.standin.blockkit import view_problems
from bot.store import incident as incidents
from bot.store import timeline
from tests.fuzz import promises, variants
from tests.fuzz.ground import Ground
from tests.fuzz.judge import Log, faults_of, faults_of_calls, faults_of_draft, listening
from tests.fuzz.requests import KINDS, Plan
from tests.fuzz.texts import SHORT, TEXT
from tests.houses import said
from tests.rooms import opened

#: The same requests every time: a new one belongs into a long run, not into somebody else's change.
STEADY = settings(
    database=None,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with Ground(tmp_path_factory.mktemp("fuzz")) as here:
        yield here


@pytest.fixture
def log() -> Iterator[Log]:
    with listening() as kept:
        yield kept


@pytest.mark.parametrize("plans", [one[2] for one in KINDS], ids=[one[0] for one in KINDS])
def test_whatever_comes_is_answered_and_what_goes_out_is_within_slacks_limits(
    ground: Ground, log: Log, plans: st.SearchStrategy[Plan]
) -> None:
    ground.town.settled(60)
    ground.town.standin.faults.forget_calls()
    ground.look_around()
    chance, wrong = Random(7), []

    @settings(STEADY, max_examples=18)
    @given(plans)
    def throw(plan: Plan) -> None:
        sent = ground.send(plan)
        again = variants.repeated(sent.content, sent.content_type)
        bad = variants.damaged(sent.content, sent.content_type, chance)
        wrong.extend(f"{plan}: {fault}" for fault in faults_of(plan, sent))
        wrong.extend(f"{one}: {fault}" for one in (again, bad) for fault in faults_of(one, ground.send(one)))

    throw()
    ground.town.settled(60)
    assert wrong == []
    assert log.take() == []
    assert faults_of_calls(ground.town.standin.calls(), Counter()) == []


def _event(**event: Any) -> Plan:
    body = {"type": "event_callback", "team_id": "T1", "event_id": "$fresh", "event": event}
    return Plan("event", "json", body)


def _asked(kind: str, **more: Any) -> Plan:
    who = {
        "type": kind,
        "user": {"id": "U0ANA00000"},
        "trigger_id": "$trigger",
        "channel": {"id": "$channel:0"},
    }
    return Plan(kind, "payload", who | more)


def _everywhere(text: str) -> list[Plan]:
    """A text in every place where Slack carries one."""
    message = {
        "ts": "1717410600.000100",
        "user": "U0BEN00000",
        "text": text,
        "files": [{"id": "F1", "name": text}],
    }
    button = {"action_id": "runbook_start", "type": "button", "value": f"$incident:0:{text}"}
    return [
        _event(type="user_change", user={"id": "U0ANA00000", "profile": {"display_name": text}, "tz": text}),
        _event(type="channel_rename", channel={"id": "$channel:0", "name": text}),
        _event(type="member_joined_channel", user=text, channel="$channel:0"),
        _asked("block_actions", actions=[button]),
        _asked("message_action", callback_id="open_from_message", message=message),
        _asked("message_action", callback_id="add_to_timeline", message=message),
        *(
            Plan("filled form", "payload", {"trigger_id": "$trigger"}, typed=("x" * size + text,))
            for size in range(5)
        ),
    ]


@pytest.mark.parametrize(
    "text", ["x\ud800", "\x00", "<!here>", "&" * 3001], ids=["half", "NUL", "ping", "long"]
)
def test_a_hard_text_in_any_place_breaks_nothing(ground: Ground, log: Log, text: str) -> None:
    ground.town.standin.faults.forget_calls()
    ground.look_around()
    wrong = [f"{plan}: {fault}" for plan in _everywhere(text) for fault in faults_of(plan, ground.send(plan))]
    ground.town.settled(60)
    assert wrong == []
    assert log.take() == []
    assert faults_of_calls(ground.town.standin.calls(), Counter()) == []


def test_the_drafts_of_all_that_are_inert(ground: Ground) -> None:
    for text in ("<b>*# Heading*</b>", "![x](http://a.example/x.png)", "<javascript:alert(1)|x> <!here>"):
        ground.town.ana.types(f"/log note: {text}", ground.look_around()[0])
    drafts = ground.drafts()
    assert drafts and [fault for draft in drafts for fault in faults_of_draft(draft)] == []


# What people said is never lost, whatever they do to it.

# Slack's own client sends no half characters.
_TYPED = SHORT.map(lambda text: text.encode("utf-8", "ignore").decode())
_DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("/log note: {text}"), _TYPED),
        st.tuples(st.just("/log edit {last} {text}"), _TYPED),
        st.tuples(st.just("/log undo {last}"), st.just("")),
    ),
    min_size=3,
    max_size=8,
)


def _all_said(ground: Ground, channel: str) -> dict[int, list[str]]:
    """Entry number -> every text it has had, oldest first."""
    found: dict[int, list[str]] = {}
    with ground.town.house.db.reading() as session:
        about = incidents.find_by_channel(session, channel)
        assert about is not None
        while (one := timeline.find_by_number(session, about.id, len(found) + 1)) is not None:
            found[one.number] = [*(former.text for former in timeline.history(session, one.id)), one.text]
    return found


def test_logging_correcting_and_undoing_in_any_order_keeps_every_former_text(ground: Ground) -> None:
    room = ground.town.opened("/incident open texts that are kept sev4")
    kept = _all_said(ground, room)
    seen: Counter[str] = Counter()

    @settings(STEADY, max_examples=12)
    @given(_DEEDS)
    def play(deeds: list[tuple[str, str]]) -> None:
        nonlocal kept
        for deed, text in deeds:
            last = max(kept)
            answer = said(ground.town.ana.types(deed.format(last=last, text=text), room))
            now = _all_said(ground, room)
            for one, texts in kept.items():
                assert now[one][: len(texts)] == texts, (deed, text, answer)
            seen["logged"] += len(now) > len(kept)
            seen["edited"] += len(now[last]) > len(kept[last])
            if "Logged *#" in answer:
                assert len(now) == len(kept) + 1, (deed, text, answer)
            kept = now

    play()
    assert seen["logged"] > 5 and seen["edited"] > 5, seen


# What the readers promise of any text.


@pytest.mark.parametrize("promise", promises.PROMISES.values(), ids=promises.PROMISES)
def test_a_reader_keeps_its_promises_and_raises_nothing_but_a_refusal(promise: Callable[[str], None]) -> None:
    @settings(STEADY, max_examples=40)
    @given(TEXT)
    def read(text: str) -> None:
        with suppress(Refusal, promises.Malformed):
            promise(text)

    read()


#: Each of them, many times over, has made somebody's expression slow.
PIECES = [
    "\n",
    "\n\n2 `?|",
    "_a_",
    "*_~",
    "`",
    "<",
    "<a|",
    "&",
    ":a",
    "&gt;",
    "*a ",
    "http://a.",
    " ",
    "1h ",
    "10:",
    "a-",
]
PIECES += ["half an ", " and", "0", "/1", "a/", "note:", "[note ", "dead ", "-1m ", "e\u0301"]
QUICK = ["when", "clock", "day", "zone", "due", "line", "markup", "signature"]


@pytest.mark.parametrize("name", QUICK)
def test_no_text_of_10_000_characters_keeps_a_reader_busy(name: str) -> None:
    for piece in PIECES:
        for text in (piece * (10_000 // len(piece)) + "\x01", "10:30 " + piece * (9990 // len(piece))):
            began = time.thread_time()
            with suppress(Refusal):
                promises.PROMISES[name](text)
            # 50 ms are usual; an expression that tries every way would take minutes.
            assert time.thread_time() - began < 3, (piece, len(text))


# What the long runs have found.


def test_two_incidents_never_get_one_channel(ground: Ground, log: Log) -> None:
    ground.town.opened("/incident open one more sev4")
    before = ground.look_around()
    moved = _event(type="channel_id_changed", old_channel_id="$channel:0", new_channel_id="$channel:1")
    assert len(before) > 1
    assert ground.send(moved).reply.status == 200
    assert ground.look_around() == before
    assert log.take() == []


ADDRESSES = [
    ("https://a.slack.com/archives/C1/p1717410600000100?thread_ts=1.2&cid=C1", True),
    ("https://a.slack.com/files/U1/F1/b%C3%BCro.png", True),
    ("https://a.example/x|<!here>", False),
    ("https://a.example/x><!channel>", False),
    ('https://a.example/"\\', False),
    ("javascript:alert(1)", False),
    ("https://a.example/" + "x" * 400, False),
    (None, False),
    ({"id": 1}, False),
]


@pytest.mark.parametrize(("given_as", "is_kept"), ADDRESSES, ids=[str(one[0])[:40] for one in ADDRESSES])
def test_a_permalink_is_an_address_or_nothing(given_as: Any, is_kept: bool) -> None:
    assert address(given_as) == (given_as if is_kept else "")


def test_a_message_with_a_permalink_of_3000_characters_opens_its_forms() -> None:
    long = "https://a.example/" + "&" * 3000
    image = {"id": "F1", "name": "\U0001f525" * 200, "permalink": "https://a.example/" + "x" * 280}
    message = read_message("C1", {"ts": "1.2", "user": "U1", "permalink": long, "files": [image] * 8})
    assert message is not None
    for view in (
        opening_form.view(Severity.SEV2, message=message),
        entry_form.view(sample_facts().incident, message),
    ):
        assert view_problems(view, "modal") == []


def test_a_zone_of_a_thousand_folders_is_no_zone() -> None:
    someone = Person(id="U1", name="ana", tz="a/" * 1000, seen_at=datetime.now(UTC))
    assert zone_of(someone) is None
    assert zone_of(replace(someone, tz="europe/Berlin")) == ZoneInfo("Europe/Berlin")


def test_a_name_from_slack_is_one_line_without_hidden_signs() -> None:
    assert profile_name({"profile": {"display_name": " \x04 "}, "name": "\u202eana\x11\nlyst "}) == "ana lyst"


def test_who_left_without_a_name_is_nobody(ground: Ground) -> None:
    room = opened(ground.town, "/incident open keys in a bucket private")
    house = ground.town.house
    EVENTS["member_left_channel"](
        Door(house.desk, house.slack), Ask("event", "member_left_channel", "", room.channel, "event:left")
    )
    ground.town.settled()
    assert not [one for one in ground.town.standin.calls("views.publish") if not one.args.get("user_id")]
