"""A Lantern in a process of its own, to be killed with -9 and started again on the same database."""

from __future__ import annotations

import dataclasses
import functools
import multiprocessing
import socket
import time
import urllib.request
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any

from bot.domain.pace import Pace
from bot.settings import Settings, shipped
from bot.store import schema
from bot.store.errand import Errand
from bot.wiring import House
from tests.houses import QUICK

#: A dead replica's work is taken over after a lease: seconds here, half a minute in earnest.
RHYTHM = dataclasses.replace(
    QUICK,
    lease_for=timedelta(seconds=2.5),
    heartbeat_for=timedelta(seconds=0.5),
    call_for=timedelta(seconds=1),
)


def live(values: dict[str, Any], sabotage: str) -> None:
    """Be a house until killed; one that lacks what keeps it from doubling or losing, when that is asked for."""
    _spoil(sabotage)
    house = House(Settings.model_validate(values), rhythm=RHYTHM, pace=Pace(time.monotonic, {}, {}))
    if house.db.dialect == "postgresql":
        schema.migrate(house.db, shipped("migrations"))
    house.start()
    parent = multiprocessing.parent_process()
    assert parent is not None
    # A test run that is killed itself leaves nobody behind.
    parent.join()


def _spoil(sabotage: str) -> None:
    """A test of the crash test: what it takes out must be found by it."""
    if sabotage == "repeats without looking":
        Errand._look_back = lambda *_: None  # type: ignore[method-assign]
    elif sabotage == "believes without looking":
        Errand._look_back = lambda *_: {}  # type: ignore[method-assign]
    else:
        assert not sabotage, sabotage


class Mortal:
    """A house that dies when it is told to. It serves at the same address in every life."""

    def __init__(self, values: dict[str, Any], *, sabotage: str = "") -> None:
        self._sabotage = sabotage
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._values = {**values, "port": self.port}
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
        self._process = _forks().Process(target=live, args=(self._values, self._sabotage), daemon=True)
        self._process.start()
        self.lives += 1
        end = time.monotonic() + 30
        while not self._is_ready():
            assert self._process.is_alive(), "the house did not start"
            assert time.monotonic() < end, "the house was not ready in time"
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.join(10)

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
