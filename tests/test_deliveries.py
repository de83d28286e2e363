"""What Slack is told arrives once and in order, whatever happens to the calls: lost, refused, or not answered."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import re
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot import filing
from bot.domain import notices
from bot.domain.pace import Pace
from bot.shelf import gather
from bot.slack import senders
from bot.standin.faults import Kind
from bot.usecases import deliveries
from tests.crash_gate import Gate
from tests.crash_story import Seen, Story
from tests.houses import QUICK, Town, until
from tests.rooms import hasty_town

KINDS: tuple[Kind, ...] = ("drop_before", "http")
HASTY = dataclasses.replace(
    QUICK,
    settle_for=timedelta(seconds=0.1),
    back_off_from=timedelta(seconds=0.02),
    back_off_to=timedelta(seconds=0.05),
)

#: Everything that the story lets the postman call.
WRITES = (
    "conversations.create",
    "conversations.invite",
    "conversations.setTopic",
    "conversations.setPurpose",
    "conversations.archive",
    "chat.postMessage",
    "chat.update",
    "chat.postEphemeral",
    "pins.add",
    "bookmarks.add",
    "bookmarks.edit",
    "reactions.get",
    "reactions.add",
    "files.getUploadURLExternal",
    "files.completeUploadExternal",
)
#: What it asks when it does not know whether a call arrived.
LOOKS = (
    "users.conversations",
    "conversations.history",
    "conversations.replies",
    "conversations.info",
    "bookmarks.list",
    "files.info",
)
#: What doors call while a person waits.
_OF_DOORS = {"views.open", "users.info", "auth.test", "apps.connections.open"}


def test_every_notice_has_a_sender_and_every_sender_a_notice() -> None:
    known = {
        name
        for name, one in inspect.getmembers(notices, inspect.isclass)
        if issubclass(one, notices.Notice) and one is not notices.Notice
    }
    served = [kind for module in (*gather(senders, "SENDERS"), filing) for kind in module.SENDERS]
    assert sorted(served) == sorted(known)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(
        tmp_path_factory.mktemp("deliveries"), rhythm=HASTY, settings={"announce_channel": "#incidents"}
    ) as here:
        # In a channel that it is not in, Lantern could not look whether an announcement arrived.
        here.ana.invites("#incidents", here.app.bot_user_id)
        yield here


@pytest.fixture(autouse=True)
def no_faults_stay(town: Town) -> Iterator[None]:
    yield
    town.standin.clear_faults()


def story_of(town: Town) -> Story:
    return Story(town.standin, town.ana, town.ben, lambda: town.settled(30))


@pytest.fixture(scope="module")
def untroubled(town: Town) -> Seen:
    """The story as it is without any trouble."""
    seen = story_of(town).tell()
    called = {call.method for call in town.standin.calls()}
    assert called - _OF_DOORS == set(WRITES), "the story calls something that no test troubles"
    return seen


def test_an_answer_that_is_lost_at_every_step_changes_nothing(town: Town, untroubled: Seen) -> None:
    story = story_of(town)

    def trouble(_step: str) -> None:
        town.standin.clear_faults()
        for method in WRITES:
            town.standin.fault(method, "drop_after")

    story.before = trouble
    assert dataclasses.asdict(story.tell()) == dataclasses.asdict(untroubled)


def test_calls_that_do_not_arrive_or_are_answered_503_change_nothing(town: Town, untroubled: Seen) -> None:
    story = story_of(town)
    # Each method meets one kind first and the other one next.
    turns = {method: itertools.cycle(KINDS[n % 2 :] + KINDS[: n % 2]) for n, method in enumerate(WRITES)}

    def trouble(_step: str) -> None:
        town.standin.clear_faults()
        for method in WRITES:
            town.standin.fault(method, next(turns[method]))

    story.before = trouble
    assert dataclasses.asdict(story.tell()) == dataclasses.asdict(untroubled)


def test_a_rate_limit_changes_nothing(town: Town, untroubled: Seen) -> None:
    # Each costs a second; what is left out goes the same way.
    limited = sorted(
        set(WRITES) - {"reactions.get", "reactions.add", "conversations.setPurpose", "bookmarks.edit"}
    )
    for method in limited:
        town.standin.fault(method, "ratelimited", retry_after=1)
    before = len(town.standin.calls())
    assert dataclasses.asdict(story_of(town).tell()) == dataclasses.asdict(untroubled)
    assert sorted(call.method for call in town.standin.calls()[before:] if call.fault) == limited


def test_a_lost_answer_that_cannot_be_looked_up_at_first_changes_nothing(
    town: Town, untroubled: Seen
) -> None:
    story = story_of(town)

    def trouble(_step: str) -> None:
        town.standin.clear_faults()
        for method in WRITES:
            town.standin.fault(method, "drop_after")
        for method in LOOKS:
            town.standin.fault(method, "http")
            town.standin.fault(method, "drop_before")

    story.before = trouble
    assert dataclasses.asdict(story.tell()) == dataclasses.asdict(untroubled)


def test_an_announcement_whose_answer_is_lost_is_found_behind_a_page_of_others(town: Town) -> None:
    story = story_of(town)
    town.standin.fault("chat.postMessage", "drop_after", where={"channel": "#incidents"})
    town.standin.fault("users.conversations", "http", times=-1)
    story.opens("#general")
    until(lambda: bool(story.seen().announced), 10, "it was not announced")
    # Slack gives 200 messages a page.
    for n in range(220):
        town.standin.act(
            {"as": town.ben.id, "do": "message", "channel": town.ana_sees("#incidents"), "text": f"{n}"}
        )
    town.standin.clear_faults()
    town.settled(30)
    assert len(story.seen().announced) == 1


def test_an_announcement_that_cannot_be_looked_up_is_said_again_rather_than_not(
    sqlite_url: str,
) -> None:
    with Town(sqlite_url, rhythm=HASTY) as town:
        story = story_of(town)
        town.standin.fault("chat.postMessage", "drop_before", where={"channel": town.ana_sees("#incidents")})
        story.open()
        assert len(story.seen().announced) == 1


# Refused for good


def told(town: Town) -> list[str]:
    """What Lantern told ana alone."""
    place = town.standin.workspace.direct_channel(town.app.bot_user_id, town.ana.id).id
    return [one["text"] for one in town.ana.messages(place)]


def whole(seen: Seen) -> None:
    """A channel as it should be once an incident is open."""
    assert (seen.channels, seen.cards, seen.pins) == (1, 1, 1)
    assert seen.lines[:2] == [
        "inc-N SEV2 investigating: logins fail",
        ":pencil2: *#1* DATE *note* (ana): Incident opened as SEV2: logins fail",
    ]
    assert [title for title, _ in seen.bookmarks] == ["Runbooks", "Postmortem"]
    assert len(seen.announced) == 1


def test_a_missing_scope_is_told_to_who_asked_and_the_rest_goes_on(town: Town) -> None:
    before = len(told(town))
    town.standin.fault("pins.add", "error", error="missing_scope")
    story = story_of(town)
    story.open()
    (sentence,) = told(town)[before:]
    assert "missing_scope" in sentence and "Reinstall the app" in sentence and "kept" in sentence
    seen = story.seen()
    assert (seen.cards, seen.pins, len(seen.bookmarks), len(seen.announced)) == (1, 0, 2, 1)


def test_a_channel_that_may_not_be_made_is_told_once_and_made_once_it_may(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "CHANNEL_AGAIN_AFTER", timedelta(seconds=0.3))
    before, asked = len(told(town)), len(town.standin.calls("conversations.create"))
    town.standin.fault("conversations.create", "error", error="restricted_action", times=-1)
    story = story_of(town)
    story.opens("#general")
    until(lambda: len(town.standin.calls("conversations.create")) >= asked + 3, 10, "it was not tried again")
    (sentence,) = told(town)[before:]
    assert "ask a workspace admin" in sentence and "tried again" in sentence
    assert story.seen().channels == 0
    town.standin.clear_faults()
    town.settled()
    whole(story.seen())
    assert len(told(town)) == before + 1


def test_a_card_that_slack_will_not_draw_still_says_its_words(town: Town) -> None:
    town.standin.fault("chat.postMessage", "error", error="invalid_blocks")
    story = story_of(town)
    story.open()
    seen = story.seen()
    assert seen.lines[0] == "inc-N SEV2 investigating: logins fail" and seen.pins == 1
    town.standin.fault("chat.update", "error", error="invalid_blocks", times=1)
    town.ana.types("/incident severity sev1", story.channel)
    town.settled()
    assert story.seen().lines[0] == "inc-N SEV1 investigating: logins fail"


def test_what_was_logged_while_the_channel_takes_no_message_is_kept_and_shown_later(town: Town) -> None:
    story = story_of(town)
    story.open()
    before = len(told(town))
    town.standin.fault(
        "chat.postMessage", "error", error="is_archived", where={"channel": story.channel}, times=2
    )
    for text in ("first", "second"):
        town.ana.types(f"/log note: {text}", story.channel)
        town.settled()
    (sentence,) = told(town)[before:]
    assert "is_archived" in sentence and "unarchive it" in sentence
    assert [entry.text for entry in town.entries(story.number)][1:] == ["first", "second"]
    town.ana.types("/log note: third", story.channel)
    town.settled()
    shown = [line.rpartition(": ")[2] for line in story.seen().lines[-3:]]
    assert shown == ["first", "second", "third"]


def test_nothing_is_given_up_for_a_revoked_token(town: Town) -> None:
    town.standin.fault("*", "error", error="token_revoked", times=-1)
    story = story_of(town)
    story.opens("#general")
    asked = len(town.standin.calls("conversations.create"))
    until(lambda: len(town.standin.calls("conversations.create")) > asked + 1, 10, "it was not tried again")
    town.standin.clear_faults()
    town.settled()
    whole(story.seen())


# Slack is down


@pytest.fixture
def gated(sqlite_url: str) -> Iterator[tuple[Town, Gate]]:
    """A town whose Lantern reaches Slack through a gate."""
    gate = Gate(lambda: town.standin.url)
    with gate:
        town = Town(
            sqlite_url,
            rhythm=HASTY,
            pace=Pace(time.monotonic, {}, {}),
            settings={"slack_api_url": gate.api_url},
        )
        with town:
            yield town, gate


@pytest.mark.parametrize("trouble", ("refused", "503"))
def test_while_slack_is_down_every_line_is_answered_and_all_arrives_in_order_afterwards(
    gated: tuple[Town, Gate], trouble: str
) -> None:
    town, gate = gated
    first, second = story_of(town), story_of(town)
    first.open()
    town.ana.types("/incident close", first.channel)
    form = town.ana.waits_for(town.ana.views)[-1]
    if trouble == "refused":
        gate.shut()
    else:
        town.standin.fault("*", "http", times=-1)
    answers = [town.ana.types(f"/log note: line {n}", first.channel) for n in range(20)]
    second.opens("#general")
    answers.append(town.ana.submits(form, {"Root cause": "a weight"}))
    # Nobody knows eve yet, and Slack cannot say who she is.
    answers.append(town.eve.types("/log finding: one more", first.channel))
    assert max(answer["ack_ms"] for answer in answers) < 1500
    assert "a weight" in town.draft(first.number)
    # The card, the opening, and what may help.
    assert len(first.seen().lines) == 4 and second.seen().channels == 0
    if trouble == "refused":
        gate.open()
    else:
        town.standin.clear_faults()
    town.settled(30)
    seen = first.seen()
    shown = [int(number) for line in seen.lines for number in re.findall(r"\*#(\d+)\*", line)]
    assert shown == list(range(1, 24))
    assert seen.lines[0] == "inc-N SEV2 closed: logins fail"
    assert seen.files == ["inc-N-postmortem-r1.md", "inc-N-timeline-r1.png"]
    assert seen.bookmarks[1][1].endswith("postmortem-r1.md") and len(seen.announced) == 1
    whole(second.seen())


def test_a_lantern_that_did_not_hear_from_slack_at_its_start_misses_nothing(sqlite_url: str) -> None:
    with Town(sqlite_url, rhythm=HASTY) as town:
        town.house.stop()
        town.standin.fault("auth.test", "http", times=-1)
        town.house = town.new_house()
        town.house.start()
        story = story_of(town)
        story.opens("#general")
        until(lambda: story.seen().pins == 1, 10, "the card was not pinned")
        assert story.seen().bookmarks == []
        town.standin.clear_faults()
        town.settled()
        whole(story.seen())


# Names


def test_two_incidents_of_one_title_and_a_taken_name_get_channels_of_their_own(town: Town) -> None:
    number = max((n for n in range(1, 60) if town.has(n)), default=0) + 1
    for name in (f"inc-{number:04d}-logins-fail", f"inc-{number:04d}-logins-fail-2"):
        taken = town.ben.creates(name)
    town.ben.archives(taken)
    first, second = story_of(town), story_of(town)
    first.opens("#general")
    second.opens("#general")
    town.settled()
    assert town.incident(first.number).channel_name == f"inc-{number:04d}-logins-fail-3"
    assert town.incident(second.number).channel_name == f"inc-{number + 1:04d}-logins-fail"
