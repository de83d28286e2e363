"""A town: a stand-in workspace and a Lantern that lives in it, for tests that go through real doors."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from pydantic import SecretStr

from bot.demo import allow_console, console_settings, manifest
from bot.domain.incident import Incident
from bot.domain.pace import Pace
from bot.domain.timeline import Entry
from bot.settings import Settings, shipped
from bot.slack.watchdog import Vigil
from bot.standin.person import Person
from bot.standin.server import Standin
from bot.store import incident as incidents
from bot.store import postmortem, schema, timeline
from bot.store.errand import Rhythm
from bot.wiring import House
from tests.blank import lay_out

#: Waits shortened so that a lost answer is looked up within a test's patience.
QUICK = Rhythm(
    poll_for=timedelta(seconds=0.1),
    settle_for=timedelta(seconds=0.3),
    back_off_from=timedelta(seconds=0.05),
    back_off_to=timedelta(seconds=0.2),
)


#: Read once: hundreds of towns have it.
_MANIFEST = manifest()


class Clock:
    """A clock that tests set. Unset, it is the real time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        with self._lock:
            return datetime.now(UTC) + self._ahead

    def set(self, at: datetime) -> None:
        with self._lock:
            self._ahead = at - datetime.now(UTC)


class Resident(Person):
    """A person who sends a command again when Lantern says that it was too busy to begin it in time."""

    def types(self, line: str, channel: str = "#general") -> dict[str, Any]:
        for _ in range(4):
            answer = super().types(line, channel)
            if "too busy, or paused, to begin this in time" not in said(answer):
                break
        return answer


class Town:
    """`with Town(url) as town: town.ana.types("/incident open ...")`."""

    def __init__(
        self,
        database_url: str,
        *,
        transport: str = "socket",
        latency: float = 0.0,
        limits: bool = False,
        announce: bool = True,
        settings: dict[str, Any] | None = None,
        rhythm: Rhythm = QUICK,
        pace: Pace | None = None,
        vigil: Vigil | None = None,
        between_reads: float = 0.0,
        console: bool = False,
    ) -> None:
        self.standin = Standin(latency=latency, limits=limits, retry_scale=0.001)
        self._database_url = database_url
        self._transport = transport
        self._announce = announce
        self._settings = settings or {}
        self._rhythm = rhythm
        self._pace = pace
        self._vigil = vigil
        self._between_reads = between_reads
        self._console = console
        self.clock = Clock()

    def __enter__(self) -> Self:
        self.standin.start()
        self.app = self.standin.install(copy.deepcopy(_MANIFEST))
        self.house = self.new_house()
        self.house.start()
        if self._console:
            allow_console(self.app, self.house.console_url)
        if self._transport == "http":
            self.app.request_url = f"{self.house.web.url}/slack/events"
        self.ana, self.ben, self.chloe, self.dev, self.eve = (
            Resident(self.standin.url, self._id(name)) for name in ("ana", "ben", "chloe", "dev", "eve")
        )
        return self

    def __exit__(self, *problem: object) -> None:
        try:
            self.house.stop()
        finally:
            self.standin.stop()

    def new_house(self) -> House:
        """Another Lantern on the same database and in the same workspace, not started."""
        values: dict[str, Any] = {
            "slack_bot_token": SecretStr(self.app.bot_token),
            "slack_api_url": self.standin.api_url,
            "database_url": self._database_url,
            "announce_channel": self.ana_sees("#incidents") if self._announce else "",
            "port": 0,
            **(console_settings(self.app) if self._console else {}),
            **self._settings,
        }
        if self._transport == "socket":
            values["slack_app_token"] = SecretStr(self.app.app_token)
        else:
            values["slack_signing_secret"] = SecretStr(self.app.signing_secret)
        settings = Settings.model_validate(values)
        lay_out(self._database_url)
        house = House(
            settings,
            clock=self.clock,
            rhythm=self._rhythm,
            pace=self._pace,
            vigil=self._vigil,
            between_reads=self._between_reads,
        )
        if house.db.dialect == "postgresql":
            schema.migrate(house.db, shipped("migrations"))
        return house

    def _id(self, name: str) -> str:
        return next(user.id for user in self.standin.workspace.users.values() if user.name == name)

    def ana_sees(self, channel: str) -> str:
        found = self.standin.workspace.channel_named(channel.lstrip("#"))
        assert found is not None
        return found.id

    def set_clock(self, at: datetime) -> None:
        """Let the whole town live at this moment from now on."""
        self.clock.set(at)
        self.standin.set_clock(at.timestamp())

    # What is true in the database

    def incident(self, number: int = 1) -> Incident:
        with self.house.db.reading() as session:
            found = incidents.find_by_number(session, number)
        assert found is not None, f"there is no incident {number}"
        return found

    def incidents(self) -> int:
        with self.house.db.reading() as session:
            return sum(incidents.find_by_number(session, one) is not None for one in range(1, 60))

    def entries(self, number: int = 1) -> list[Entry]:
        incident_id = self.incident(number).id
        with self.house.db.reading() as session:
            return timeline.live(session, incident_id)

    def settled(self, timeout: float = 15.0) -> None:
        """Wait until nothing is left to deliver."""

        def is_quiet() -> bool:
            with self.house.db.reading() as session:
                waiting = "SELECT 1 FROM work WHERE state IN ('open', 'running') LIMIT 1"
                return session.exec_driver_sql(waiting).first() is None

        until(is_quiet, timeout, "the outbox did not empty")

    def opened(self, line: str = "/incident open logins fail sev2", by: Person | None = None) -> str:
        """Open an incident by command and give its channel's id once everything is delivered."""
        (by or self.ana).types(line, "#general")
        self.settled()
        number = max(one for one in range(1, 60) if self.has(one))
        channel = self.incident(number).channel_id
        assert channel is not None
        return channel

    def has(self, number: int) -> bool:
        with self.house.db.reading() as session:
            return incidents.find_by_number(session, number) is not None

    def draft(self, number: int = 1) -> str:
        with self.house.db.reading() as session:
            found = postmortem.latest(session, self.incident(number).id)
        assert found is not None, "there is no draft"
        return found.markdown


def until(is_so: Callable[[], bool], timeout: float, what: str) -> None:
    """Poll until it is so; fail with what was waited for.

    `timeout`: seconds on a machine at rest. A busy one gets three times as long: only a failure waits for its end.
    """
    end = time.monotonic() + 3 * timeout
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def said(answer: dict[str, Any]) -> str:
    """The text of a command's answer."""
    return str((answer.get("answer") or {}).get("text") or "")
