"""Programs that are measured run in processes of their own, so that the client's work is not counted as theirs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.demo import manifest
from bot.settings import shipped
from bot.standin.installed import InstalledApp
from bot.standin.person import Person
from bot.standin.server import Standin
from bot.store import incident, outbox, schema
from bot.store.db import Database

_URL = re.compile(r"https?://[\d.]+:\d+")


@contextmanager
def program(*arguments: str, **environment: str) -> Iterator[str]:
    """Run `python -m ...` until the block ends; gives the first web address it prints to stderr."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LANTERN_"))}
    running = subprocess.Popen(
        [sys.executable, "-m", *arguments], env=kept | environment, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    try:
        said = []
        for line in running.stderr:
            said.append(line)
            found = _URL.search(line)
            if found is not None:
                yield found[0]
                return
        raise RuntimeError("".join(said))
    finally:
        running.terminate()
        running.stderr.read()
        running.wait(20)


@dataclass
class Apart:
    """A stand-in workspace in this process, `lantern serve` in another, their database seen from here."""

    database_url: str
    transport: str
    latency: float = 0.0
    #: What runs as the bot, given as to `python -m`.
    serves: tuple[str, ...] = ("bot", "serve")
    standin: Standin = field(init=False)
    app: InstalledApp = field(init=False)
    db: Database = field(init=False)
    url: str = ""

    @contextmanager
    def running(self) -> Iterator[Apart]:
        """Start both, stop both."""
        self.standin = Standin(latency=self.latency, limits=False, patience=10.0)
        self.db = Database(self.database_url)
        schema.migrate(self.db, shipped("migrations"))
        try:
            with self.standin:
                self.app = self.standin.install(manifest())
                with program(*self.serves, **self._environment()) as self.url:
                    if self.transport == "http":
                        self.app.request_url = f"{self.url}/slack/events"
                    else:
                        self._until(lambda: self.standin.sockets.connections() > 0)
                    yield self
        finally:
            self.db.close()

    def _environment(self) -> dict[str, str]:
        announced = self.standin.workspace.channel_named("incidents")
        assert announced is not None
        door = (
            {"SLACK_SIGNING_SECRET": self.app.signing_secret}
            if self.transport == "http"
            else {"SLACK_APP_TOKEN": self.app.app_token}
        )
        return door | {
            "SLACK_BOT_TOKEN": self.app.bot_token,
            "SLACK_API_URL": self.standin.api_url,
            "LANTERN_DATABASE_URL": self.database_url,
            "LANTERN_ANNOUNCE_CHANNEL": announced.id,
            "LANTERN_PORT": "0",
            "LANTERN_LOG_LEVEL": "ERROR",
        }

    def person(self, name: str) -> Person:
        users = self.standin.workspace.users.values()
        return Person(self.standin.url, next(user.id for user in users if user.name == name))

    def settled(self, timeout: float = 60.0) -> None:
        """Wait until Slack has been told everything."""

        def is_quiet() -> bool:
            with self.db.reading() as session:
                waiting = outbox.backlog(session, datetime.now(UTC))
            return waiting.open + waiting.running == 0

        self._until(is_quiet, timeout)

    def channel_of(self, number: int) -> str:
        """The channel of an incident; waits until it is there."""
        found: list[str] = []

        def is_made() -> bool:
            with self.db.reading() as session:
                about = incident.find_by_number(session, number)
            found.append((about.channel_id if about is not None else None) or "")
            return bool(found[-1])

        self._until(is_made)
        return found[-1]

    @staticmethod
    def _until(is_so: object, timeout: float = 60.0) -> None:
        assert callable(is_so)
        end = time.monotonic() + timeout
        while not is_so():
            if time.monotonic() > end:
                raise TimeoutError(f"not so within {timeout:g} s")
            time.sleep(0.02)
