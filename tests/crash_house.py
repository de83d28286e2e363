"""A Lantern in a process of its own, to be killed with -9 and started again on the same database."""

from __future__ import annotations

import dataclasses
import functools
import multiprocessing
import os
import signal
import socket
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import update

from bot.domain.pace import Pace
from bot.settings import Settings, shipped
from bot.store import outbox, schema
from bot.store.db import Session
from bot.store.errand import Errand, Rhythm
from bot.store.work_tables import work
from bot.wiring import House
from tests.houses import QUICK

#: A dead replica's work is taken over after a lease: seconds here, half a minute in earnest.
RHYTHM = dataclasses.replace(
    QUICK,
    lease_for=timedelta(seconds=2.5),
    heartbeat_for=timedelta(seconds=0.5),
    call_for=timedelta(seconds=1),
)

#: The same in half the time, where a test waits for it. A starved thread loses its lease, which does no harm.
HASTY = dataclasses.replace(
    RHYTHM,
    lease_for=timedelta(seconds=1.2),
    heartbeat_for=timedelta(seconds=0.25),
    call_for=timedelta(seconds=0.5),
)


@dataclass(frozen=True)
class Life:
    """How a house lives: its rhythm, its clock, and what it lacks."""

    rhythm: Rhythm = RHYTHM
    #: Seconds by which the clock of its machine is ahead.
    ahead: float = 0.0
    #: What keeps it from doubling or losing and is taken out of it: a test of the crash test.
    sabotage: str = ""


def live(values: dict[str, Any], life: Life) -> None:
    """Be a house until killed."""
    _spoil(life.sabotage)

    def machine() -> datetime:
        return datetime.now(UTC) + timedelta(seconds=life.ahead)

    house = House(
        Settings.model_validate(values),
        machine=machine,
        rhythm=life.rhythm,
        pace=Pace(time.monotonic, {}, {}),
    )
    if house.db.dialect == "postgresql":
        schema.migrate(house.db, shipped("migrations"))
    house.start()
    parent = multiprocessing.parent_process()
    assert parent is not None
    # A test run that is killed itself leaves nobody behind.
    parent.join()


def _spoil(sabotage: str) -> None:
    if sabotage == "repeats without looking":
        Errand._look_back = lambda *_: None  # type: ignore[method-assign]
    elif sabotage == "forgets what it was at":
        outbox.free_running = _forget
    else:
        assert not sabotage, sabotage


def _forget(session: Session, now: datetime) -> int:
    running = update(work).where(work.c.state == "running").values(state="done", finished_at=now)
    return len(session.execute(running.returning(work.c.id)).all())


class Mortal:
    """A house that dies when it is told to. It serves at the same address in every life."""

    def __init__(self, values: dict[str, Any], life: Life | None = None) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._values = {**values, "port": self.port}
        self._life = life or Life()
        self._process: BaseProcess | None = None
        self.lives = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of its present life."""
        assert self._process is not None and self._process.pid is not None
        return self._process.pid

    def start(self) -> None:
        """Come to life, and be ready to answer."""
        self._process = _forks().Process(target=live, args=(self._values, self._life), daemon=True)
        self._process.start()
        self.lives += 1
        self._until_ready()

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.join(10)

    def freeze(self) -> None:
        """SIGSTOP, and wait until it does nothing more."""
        os.kill(self.pid, signal.SIGSTOP)
        end = time.monotonic() + 5
        while not self._stands_still() and time.monotonic() < end:
            time.sleep(0.001)

    def _stands_still(self) -> bool:
        # One thread hears the signal and stops the others: that takes a moment on a busy machine.
        states = [(task / "stat").read_text() for task in Path(f"/proc/{self.pid}/task").glob("*")]
        return all(state.rpartition(")")[2].split()[0] == "T" for state in states)

    def thaw(self) -> None:
        """SIGCONT, and wait until it answers again."""
        os.kill(self.pid, signal.SIGCONT)
        self._until_ready()

    def _until_ready(self) -> None:
        assert self._process is not None
        end = time.monotonic() + 30
        while not self._is_ready():
            assert self._process.is_alive(), "the house did not start"
            assert time.monotonic() < end, "the house was not ready in time"
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return int(answer.status) == 200
        except OSError:
            return False


@functools.cache
def _forks() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.crash_house"])
    return context
