"""A follow-up is sent to the tracker from Slack's command, from a reminder's button and from the console."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.followup import FollowUp
from bot.store import archive as rows
from bot.store import followup
from bot.usecases import archive, reminders, tracking
from tests.desks import desk_on
from tests.houses import Town, until
from tests.rooms import Room, hasty_town, opened
from tests.tracker_stands import TOKEN, GitHub
from tests.visiting import Visitor


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    with GitHub() as here:
        yield here


@pytest.fixture(scope="module")
def town(github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("tracking")
    with hasty_town(folder, console=True, announce=False, settings=github.settings()) as here:
        yield here


def filed(room: Room, number: int = 1) -> FollowUp:
    until(lambda: room.follow_ups[number - 1].tracker_key is not None, 8, "it became no issue")
    return room.follow_ups[number - 1]


def test_typed_in_slack(town: Town, github: GitHub) -> None:
    room = opened(town)
    room.types("/incident follow-up send the report to legal")
    assert [one.text for one in room.follow_ups] == ["send the report to legal"]
    assert "`/incident follow-up send 1`" in room.types("/incident follow-up send")
    assert "There is no follow-up 7 here" in room.types("/incident follow-up track 7")
    assert "Follow-up *1* is on its way to GitHub (github:acme/web)" in room.types(
        "/incident follow-up send 1"
    )
    one = filed(room)
    town.settled()
    whispered = [each for each in town.ana.messages(room.channel) if "is now" in each["text"]]
    assert [each["text"] for each in whispered] == [
        f"Follow-up *1* of {room.about.slug} is now <{one.link}|{one.tracker_key}>."
    ]
    assert f"<{one.link}|{one.tracker_key}>" in room.types("/incident follow-up list")
    assert "send &lt;number&gt;" in room.types("/incident help follow-up")
    assert "Did you mean `/incident follow-up send 1`?" in room.types("/incident follow-up sned 1")
    assert "Did you mean `/incident follow-up done 1`?" in room.types("/incident follow-up don 1")
    for typed in (
        "send ²",
        "send 1 anyway please",
        "track 12345678",
        "send #1 to GitHub",
        "send 1 2",
        "send 1.",
    ):
        refused = room.types(f"/incident follow-up {typed}")
        assert "takes the number of one follow-up" in refused and "`/incident follow-up send 1`" in refused
    for typed in ("send 3 people to the vendor", "track 500 errors"):
        room.types(f"/incident follow-up {typed}")
    assert [one.text for one in room.follow_ups][1:] == ["send 3 people to the vendor", "track 500 errors"]
    secret = opened(town, "/incident open payroll leaked sev2 private")
    secret.types("/incident follow-up rotate the keys")
    before = len(github.asked)
    assert "is private, and whoever reads GitHub" in secret.types("/incident follow-up send 1")
    town.settled()
    assert len(github.asked) == before
    secret.types("/incident follow-up send 1 anyway")
    filed(secret)
    assert "payroll" not in str(github.asked)


def test_by_the_button_of_a_reminder(town: Town, github: GitHub) -> None:
    room = opened(town)
    room.types(f"/incident follow-up review the weights <@{town.ben.id}|ben> by tomorrow")
    assert reminders.remind_due(town.house.desk) == 1
    town.settled()
    (direct,) = [one["id"] for one in town.ben.state()["channels"] if one.get("is_im")]
    (told,) = [one for one in town.ben.messages(direct) if one.get("bot_id")]
    town.ben.clicks(told, "Send to GitHub")
    assert filed(room).tracker_key is not None
    town.ben.clicks(told, "Send to GitHub")
    town.settled()
    assert len([one for one in github.issues if one.title == "review the weights"]) == 1
    # What is an issue already has no such button.
    due = reminders.reminder(town.house.desk, room.follow_ups[0].id, town.ben.id)
    assert due is not None and due.follow_up.tracker_key is not None


def test_from_the_console_and_back(town: Town, github: GitHub) -> None:
    room = opened(town)
    room.types("/incident follow-up test the failover")
    ana = Visitor(town)
    ana.signs_in(town.ana.id)
    page = f"/incidents/{room.number}/follow-ups/1"
    shown = ana.gets(page)
    assert "Send to GitHub" in shown.words
    for _ in range(2):
        sent = ana.sends(shown, f"{page}/send")
        assert "Follow-up 1 is on its way to the tracker." in sent.words
    one = filed(room)
    town.settled()
    again = ana.gets(page)
    assert f"Issue {one.tracker_key}" in again.words and "Send to GitHub" not in again.words
    assert f"issue {one.tracker_key}" in ana.gets(f"/incidents/{room.number}").words
    number = int((one.tracker_key or "").rpartition("#")[2])
    assert [each.title for each in github.issues].count("test the failover") == 1
    assert f"{town.house.console_url}{page}" in github.issues[number - 1].body
    github.close(number)
    with town.house.db.writing() as session:
        an_hour_ago = town.house.desk.now_for_outbox() - timedelta(hours=2)
        followup.save(session, one.id, tracker_state_at=an_hour_ago)
    assert tracking.issues_due(town.house.desk)
    town.settled()
    assert " by GitHub" in ana.gets(page).words and "Open it again" in ana.gets(page).words
    assert TOKEN not in again.text


def test_an_archive_carries_which_issue_it_is_and_an_old_one_is_read(
    town: Town, tmp_path: Path, sqlite_url: str
) -> None:
    room = opened(town)
    room.types("/incident follow-up carry me over")
    room.types("/incident follow-up send 1")
    one = filed(room)
    town.settled()
    first, again = tmp_path / "first.zip", tmp_path / "again.zip"
    archive.export(town.house.desk, first, [room.number])
    with desk_on(sqlite_url) as elsewhere:
        archive.carry_in(elsewhere, first)
        archive.export(elsewhere, again)
        assert first.read_bytes() == again.read_bytes()
        with elsewhere.db.reading() as session:
            kept = [row for name, row in rows.records(session, room.number) if name == "follow_up"]
    assert kept[0]["tracker_key"] == one.tracker_key and kept[0]["tracker_mark"] == one.tracker_mark
    old = tmp_path / "old.zip"
    with zipfile.ZipFile(first) as packed, zipfile.ZipFile(old, "w") as written:
        for name in packed.namelist():
            lines = packed.read(name).decode().split("\n")
            if name.endswith("rows.jsonl"):
                records = [rows.from_line(line) for line in lines if line]
                lines = [rows.as_line((table, _without_tracker(row))) for table, row in records] + [""]
            written.writestr(name, "\n".join(lines))
    with desk_on(f"sqlite:///{tmp_path / 'old.db'}") as elsewhere:
        archive.carry_in(elsewhere, old)
        with elsewhere.db.reading() as session:
            kept = [row for name, row in rows.records(session, room.number) if name == "follow_up"]
    assert (kept[0]["text"], kept[0]["tracker_key"]) == ("carry me over", None)


def _without_tracker(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if not name.startswith(("tracker", "settled_by"))}
