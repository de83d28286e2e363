"""The command line while Slack is down: what it keeps, what it says, and that Slack hears of it once, in order."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.domain.pace import Pace
from bot.store import outbox, timeline
from bot.wiring import utc_now
from tests.desks import desk_on
from tests.houses import Town, until

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command on a database; gives status, what was printed, and what was complained of."""
    for name in ("LANTERN_BY", "LANTERN_CATALOGUE", "SLACK_BOT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANTERN_DATABASE_URL", database_url)
    if database_url.startswith("postgresql"):
        assert main(["migrate"]) == 0

    def go(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main(list(words))
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return status, out, err

    return go


def test_an_incident_is_led_to_its_draft_without_slack(run: Run) -> None:
    status, out, _ = run(
        "open", "logins fail for half of the users", "--severity", "sev1", "--by", "U012ABCDEF"
    )
    assert status == 0
    assert "Opening inc-0001 (SEV1): logins fail for half of the users." in out
    assert "Slack is told" in out
    status, out, _ = run(
        "log", "1", "10:30", "UTC", "detection:", "alarms", "on", "login", "--by", "U012ABCDEF"
    )
    assert (status, "Logged #2 (detection" in out) == (0, True)
    assert run("log", "inc-0001", "restarted auth2", "--by", "U012ABCDEF")[0] == 0
    status, out, _ = run(
        "close", "1", "--cause", "the weights were wrong", "--began", "10:00 UTC", "--by", "U012ABCDEF"
    )
    assert (status, "inc-0001 is closed." in out) == (0, True)
    status, out, _ = run("postmortem", "1")
    assert status == 0
    assert out.startswith("# Postmortem: logins fail for half of the users")
    for told in ("the weights were wrong", "alarms on login", "restarted auth2"):
        assert told in out


def test_with_replicas_the_database_says_what_time_it_is(
    run: Run, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This machine's clock is an hour fast.
    monkeypatch.setattr("bot.incident_talk.utc_now", lambda: utc_now() + timedelta(hours=1))
    assert run("open", "logins fail", "--by", "U012ABCDEF")[0] == 0
    with desk_on(database_url) as desk, desk.db.reading() as session:
        (opened,) = timeline.live(session, 1)
    is_fast = abs(opened.happened_at - utc_now()) > timedelta(minutes=30)
    assert is_fast == database_url.startswith("sqlite")


def test_the_service_is_the_one_that_is_named_or_a_refusal(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = tmp_path / "catalogue.yaml"
    book.write_text("services: {login: {}, basket: {}}")
    monkeypatch.setenv("LANTERN_CATALOGUE", str(book))
    status, out, _ = run("open", "the login of the shop", "--service", "basket", "--by", "U012ABCDEF")
    assert (status, "It is about basket." in out) == (0, True)
    status, _, err = run("open", "the shop is shut", "--service", "bsaket", "--by", "U012ABCDEF")
    assert (status, "The catalogue has no service “bsaket”. It has basket, login" in err) == (1, True), err


def test_the_list_shows_open_ones_and_all_of_them_when_asked(run: Run) -> None:
    assert run("open", "one", "--by", "U012ABCDEF")[0] == 0
    assert run("open", "two", "--private", "--by", "U012ABCDEF")[0] == 0
    assert run("open", "three", "--drill", "--by", "U012ABCDEF")[0] == 0
    assert run("close", "1", "--by", "U012ABCDEF")[0] == 0
    _, out, _ = run("list")
    assert re.findall(r"inc-\d+", out) == ["inc-0003"]
    assert "three (drill)" in out
    _, out, _ = run("list", "--all")
    assert re.findall(r"inc-\d+", out) == ["inc-0003", "inc-0002", "inc-0001"]
    assert "two (private)" in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("log", "1", "x"), "Say who does it"),
        (
            ("log", "1", "x", "--by", "nobody at all"),
            "Nobody is known as “nobody at all”. Lantern has met nobody yet.",
        ),
        (("log", "7", "x", "--by", "U012ABCDEF"), "There is no incident “7”"),
        (("log", "seven", "x", "--by", "U012ABCDEF"), "There is no incident “seven”"),
        (("log", "1", " ", "--by", "U012ABCDEF"), "There is nothing to log in that."),
        (("log", "1", "10:30 alarms", "--by", "U012ABCDEF"), "Add the zone, for example 10:30 UTC"),
        (("log", "1", "25:61 UTC alarms", "--by", "U012ABCDEF"), "25:61"),
        (("log", "1", "x", "--by", "U099STRANGER"), ""),
        (("open", "x", "--severity", "huge", "--by", "U012ABCDEF"), "“huge” is no severity"),
        (("open", "", "--by", "U012ABCDEF"), "There is no text to keep"),
        (("close", "1", "--began", "soon", "--by", "U012ABCDEF"), "soon"),
        (("postmortem", "1"), "has no draft yet. Compile one: lantern postmortem 1 --compile --by ana"),
        (("postmortem", "1", "--compile"), "Say who does it"),
        (("deliveries", "--again", "17"), "“17” is not set aside"),
        (("deliveries", "--again", "x"), "“x” is not set aside"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(run: Run, words: tuple[str, ...], told: str) -> None:
    assert run("open", "logins fail", "--by", "U012ABCDEF")[0] == 0
    status, out, err = run(*words)
    if told:
        assert (status, told in err) == (1, True), out + err
    else:
        assert status == 0, err


def test_a_closed_incident_is_not_closed_twice(run: Run) -> None:
    assert run("open", "logins fail", "--by", "U012ABCDEF")[0] == 0
    assert run("close", "1", "--by", "U012ABCDEF")[0] == 0
    assert "already closed" in run("close", "1", "--by", "U012ABCDEF")[1]


def test_a_database_that_is_not_there_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LANTERN_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    assert main(["list"]) == 1
    assert "There is no database" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()


def texts(town: Town, channel: str) -> list[str]:
    return [str(one["text"]) for one in town.ana.messages(channel)]


def test_what_is_typed_while_slack_is_down_arrives_once_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'lantern.db'}"
    monkeypatch.setenv("LANTERN_DATABASE_URL", url)
    with Town(url, pace=Pace(lambda: 0.0, {}, {})) as town:
        channel = town.opened("/incident open first things first sev2")
        town.standin.fault("*", "http", times=-1, status=503)
        for line in range(6):
            assert main(["log", "1", f"entry number {line}", "--by", "ana"]) == 0
        assert main(["open", "second incident", "--severity", "sev3", "--by", "ana"]) == 0
        assert main(["log", "2", "something of the second", "--by", "ana"]) == 0
        assert main(["close", "1", "--fix", "it went away", "--by", "ana"]) == 0
        assert "Slack is told" not in capsys.readouterr().out
        town.standin.clear_faults()
        town.settled(60)
        said = "\n".join(texts(town, channel))
        places = [said.index(f"entry number {line}") for line in range(6)]
        assert places == sorted(places)
        assert all(said.count(f"entry number {line}") == 1 for line in range(6))
        assert said.index("entry number 5") < said.index("Postmortem draft inc-0001, revision 1")
        second = town.incident(2).channel_id
        assert second is not None
        assert "\n".join(texts(town, second)).count("something of the second") == 1


def test_a_name_is_taken_when_one_person_has_it_and_asked_back_when_two_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'lantern.db'}"
    monkeypatch.setenv("LANTERN_DATABASE_URL", url)
    with Town(url) as town:
        town.opened()
        monkeypatch.setenv("LANTERN_BY", "Ana")
        # In her own zone, which Lantern knows.
        assert main(["log", "1", "00:01", "logged at night"]) == 0
        assert "Nobody is known as “Zoe”. Lantern has met" in failed(capsys, ["log", "1", "x", "--by", "Zoe"])
        entry = next(one for one in town.entries() if one.text == "logged at night")
        assert (entry.recorded_by, entry.source.value) == (town.ana.id, "cli")


def failed(capsys: pytest.CaptureFixture[str], words: list[str]) -> str:
    capsys.readouterr()
    assert main(words) == 1
    return capsys.readouterr().err


def test_what_was_set_aside_is_listed_and_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'lantern.db'}"
    monkeypatch.setenv("LANTERN_DATABASE_URL", url)
    with Town(url) as town:
        channel = town.opened()
        assert main(["deliveries"]) == 0
        assert "0 wait to be told to Slack, 0 were set aside." in capsys.readouterr().out
        town.standin.fault("chat.postMessage", "error", times=-1, error="restricted_action")
        town.ana.types("/log nobody may post here", channel)

        def is_aside() -> bool:
            with town.house.db.reading() as session:
                return any(one.kind == "EntriesLogged" for one in outbox.list_set_aside(session))

        until(is_aside, 30, "nothing was set aside")
        town.standin.clear_faults()
        capsys.readouterr()
        assert main(["deliveries"]) == 0
        shown = capsys.readouterr().out
        row = next(line for line in shown.splitlines() if "EntriesLogged" in line)
        assert "inc-0001" in row
        assert "restricted_action" in row
        assert main(["deliveries", "--again", "all"]) == 0
        assert "Sent again:" in capsys.readouterr().out
        town.settled(30)
        assert "\n".join(texts(town, channel)).count("nobody may post here") == 1
        assert "is not set aside" in failed(capsys, ["deliveries", "--again", row.split()[0]])


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for word in ("open", "log", "close", "postmortem", "list", "deliveries", "backup", "balancer"):
        assert re.search(rf"^\s+{word}\s", shown, re.MULTILINE), word
