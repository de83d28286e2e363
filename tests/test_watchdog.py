"""Socket Mode is never deaf: what the watchdogs notice, what they do about it, and what /readyz says meanwhile."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from slack_bolt import BoltRequest, BoltResponse

from bot.domain.pace import Pace
from bot.settings import SettingsWrong
from bot.slack.watchdog import Vigil
from bot.standin.person import Denied
from tests.houses import Town, said, until
from tests.rooms import fresh_words, opened

#: The watch of a day in a second or two.
BRISK = Vigil(
    ping_every=0.1,
    deaf_after=2.0,
    open_for=2.0,
    back_off_from=0.05,
    back_off_to=0.2,
    steady_after=0.0,
    linger_for=0.5,
    look_every=0.05,
)
PATIENCE = 25.0


@pytest.fixture(scope="module")
def lasting_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    pace = Pace(time.monotonic, {}, {})
    folder = tmp_path_factory.mktemp("watchdog")
    with Town(f"sqlite:///{folder / 'lantern.db'}", pace=pace, vigil=BRISK) as town:
        yield town


@pytest.fixture
def town(lasting_town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    """The module's town, with both connections up."""
    until(has_two(lasting_town), PATIENCE, "there are not two connections")
    monkeypatch.setattr(lasting_town.standin.outward, "patience", lasting_town.standin.outward.patience)
    return lasting_town


class Held:
    """Requests that have arrived wait inside the bot until they are let go."""

    def __init__(self, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
        app = town.house.door.app
        dispatch = app.dispatch
        self.has_arrived = threading.Event()
        self.go = threading.Event()

        def wait(request: BoltRequest) -> BoltResponse:
            self.has_arrived.set()
            self.go.wait(PATIENCE)
            return dispatch(request)

        monkeypatch.setattr(app, "dispatch", wait)
        town.standin.outward.patience = PATIENCE * 2


def readyz(town: Town) -> tuple[int, list[str]]:
    """Status and troubles of /readyz."""
    try:
        with urllib.request.urlopen(f"{town.house.web.url}/readyz", timeout=10) as answer:
            return answer.status, json.loads(answer.read())["troubles"]
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.loads(refusal.read())["troubles"]


def healthz(town: Town) -> int:
    with urllib.request.urlopen(f"{town.house.web.url}/healthz", timeout=10) as answer:
        return int(answer.status)


def tickets(town: Town) -> int:
    return len(town.standin.calls("apps.connections.open"))


def is_ready(town: Town) -> Callable[[], bool]:
    return lambda: readyz(town) == (200, [])


def has_two(town: Town) -> Callable[[], bool]:
    """Two connections that hear, and none that is on its way out."""
    sockets = town.standin.sockets
    return lambda: (sockets.connections(), sockets.muted, town.house.troubles()) == (2, 0, [])


def test_a_command_reaches_the_bot_over_either_of_two_connections(town: Town) -> None:
    assert readyz(town) == (200, [])
    assert all("/incident" in said(town.ana.types("/incident help", "#general")) for _ in range(4))


def test_after_eight_refused_handshakes_each_with_a_new_ticket_it_is_connected_again(town: Town) -> None:
    before = tickets(town)
    refused = town.standin.sockets.refused
    town.standin.sockets.refuse(8)
    town.standin.cut_sockets()
    until(lambda: town.standin.sockets.refused == refused + 8, PATIENCE, "it did not try eight times")
    until(has_two(town), PATIENCE, "it did not connect again")
    # Eight that were refused and the two that are open: no ticket was used twice.
    assert tickets(town) - before == 10
    assert is_ready(town)()
    assert "/incident" in said(town.ana.types("/incident help", "#general"))


def test_one_connection_that_goes_silent_is_replaced_while_the_other_hears(town: Town) -> None:
    before = tickets(town)
    assert town.standin.mute_sockets(1) == 1
    seen: list[int] = []

    def is_replaced() -> bool:
        seen.append(readyz(town)[0])
        return tickets(town) > before and has_two(town)()

    until(is_replaced, PATIENCE, "the silent connection was not replaced")
    assert set(seen) == {200}
    assert all("/incident" in said(town.ana.types("/incident help", "#general")) for _ in range(4))


def test_when_every_connection_is_silent_it_is_not_ready_and_then_is_again(town: Town) -> None:
    town.standin.sockets.refuse(-1)
    assert town.standin.mute_sockets() == 2
    until(lambda: readyz(town) == (503, ["socket mode"]), PATIENCE, "/readyz called a deaf bot ready")
    assert healthz(town) == 200
    town.standin.sockets.refuse(0)
    until(is_ready(town), PATIENCE, "it did not become ready again")
    until(has_two(town), PATIENCE, "the second connection did not come back")
    assert "/incident" in said(town.ana.types("/incident help", "#general"))


def test_a_refresh_brings_the_new_connection_before_the_old_one_goes(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, words = opened(town), fresh_words("typed during a refresh")
    held = Held(town, monkeypatch)
    accepted = town.standin.sockets.accepted
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(town.ana.types, f"/log {words}", room.channel)
        assert held.has_arrived.wait(PATIENCE)
        town.standin.warn_sockets()
        until(lambda: town.standin.sockets.accepted == accepted + 2, PATIENCE, "no new connection came up")
        until(lambda: town.standin.sockets.connections() == 3, PATIENCE, "the idle one was not let go")
        held.go.set()
        assert "Logged" in said(answer.result(PATIENCE))
    until(has_two(town), PATIENCE, "the old connection was not let go once it had answered")
    assert len(room.told(words)) == 1


def test_an_answer_whose_connection_was_cut_is_told_afterwards(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, words = opened(town), fresh_words("typed into a cut connection")
    held = Held(town, monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(town.ana.types, f"/log {words}", room.channel)
        assert held.has_arrived.wait(PATIENCE)
        town.standin.cut_sockets()
        with pytest.raises(Denied, match="dispatch_failed"):
            answer.result(PATIENCE)
        held.go.set()
    told = town.ana.waits_for_message(room.channel, "This is its answer", timeout=PATIENCE)
    assert told["ephemeral"] and "Logged" in told["text"]
    assert len(room.told(words)) == 1


def test_a_postman_who_lost_a_thread_and_a_database_that_is_away_are_troubles(tmp_path: Path) -> None:
    file = tmp_path / "lantern.db"
    with Town(f"sqlite:///{file}", vigil=BRISK) as town:
        until(is_ready(town), PATIENCE, "it did not become ready")
        # What ends a round of the postman's when he stops; here nobody asked him to.
        town.house.postman._errands.put(None)
        until(lambda: readyz(town) == (503, ["postman"]), PATIENCE, "a dead thread was called ready")
        assert healthz(town) == 200
        town.house.db.engine.dispose()
        file.rename(tmp_path / "away.db")
        (tmp_path / "lantern.db").mkdir()
        until(lambda: "database" in readyz(town)[1], PATIENCE, "a database that is away was called ready")
        assert healthz(town) == 200
        town.house.db.engine.dispose()
        file.rmdir()
        (tmp_path / "away.db").rename(file)
        until(lambda: readyz(town)[1] == ["postman"], PATIENCE, "the database's return was not noticed")


def test_slack_away_at_the_start_is_waited_for(tmp_path: Path) -> None:
    town = Town(f"sqlite:///{tmp_path / 'lantern.db'}", vigil=BRISK)
    town.standin.sockets.refuse(-1)
    with town:
        assert readyz(town) == (503, ["socket mode"])
        town.standin.sockets.refuse(0)
        until(is_ready(town), PATIENCE, "it did not connect by itself")
        assert "/incident" in said(town.ana.types("/incident help", "#general"))


def test_a_socket_that_is_quiet_for_long_is_replaced_without_a_gap(tmp_path: Path) -> None:
    vigil = Vigil(ping_every=0.1, quiet_after=0.6, steady_after=0.0, linger_for=0.2, look_every=0.05)
    with Town(f"sqlite:///{tmp_path / 'lantern.db'}", vigil=vigil) as town:
        seen: list[list[str]] = []

        def is_replaced() -> bool:
            seen.append(town.house.troubles())
            return town.standin.sockets.accepted >= 6

        until(is_replaced, PATIENCE, "the quiet connections were not replaced")
        assert seen == [[]] * len(seen)
        # Each goes after its successor came: never more than the two and those that are just leaving.
        assert town.standin.sockets.connections() <= 5


def test_stopping_while_nothing_answers_leaves_nobody_behind(tmp_path: Path) -> None:
    others = watchdogs()
    with Town(f"sqlite:///{tmp_path / 'lantern.db'}", vigil=BRISK) as town:
        mine = watchdogs() - others
        assert len(mine) == 2
        town.standin.sockets.refuse(-1)
        town.standin.cut_sockets()
        until(lambda: town.standin.sockets.refused > 2, PATIENCE, "it did not try again")
        town.house.stop()
        until(lambda: not any(one.is_alive() for one in mine), PATIENCE, "a watchdog goes on after the stop")


def watchdogs() -> set[threading.Thread]:
    return {one for one in threading.enumerate() if one.name.startswith("watchdog-")}


def test_a_refused_ticket_is_asked_for_again_and_a_wrong_token_is_said_at_the_start(tmp_path: Path) -> None:
    with Town(f"sqlite:///{tmp_path / 'lantern.db'}", vigil=BRISK) as town:
        until(has_two(town), PATIENCE, "there are not two connections")
        before = tickets(town)
        town.standin.fault("apps.connections.open", "http", times=2, status=503)
        town.standin.fault("apps.connections.open", "error", times=2, error="invalid_auth")
        town.standin.fault("apps.connections.open", "ratelimited", times=1, retry_after=1)
        town.standin.cut_sockets()
        until(has_two(town), PATIENCE, "it gave up")
        assert tickets(town) - before == 7
        town.house.stop()
        town.standin.fault("apps.connections.open", "error", times=1, error="invalid_auth")
        other = town.new_house()
        with pytest.raises(SettingsWrong, match="connections:write"):
            other.start()
        other.stop()
