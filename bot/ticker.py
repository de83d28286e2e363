"""The ticker: does what nobody asks for, in its time. Reminders, digests, forgetting.

Each deed is a use case that may run at any time and as often as one likes, on any replica: what it says is put into the
outbox once for each occasion. `except Exception` stands here because a deed that fails is done again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.store.db import NotSaved

log = logging.getLogger(__name__)


@dataclass
class Deed:
    """Something to be done every so many seconds, for the first time after as many."""

    name: str
    every: float
    act: Callable[[], object]
    next_tick: float = field(default=0.0)


class Ticker:
    """`Ticker([Deed(...)]).start()`."""

    def __init__(self, deeds: Sequence[Deed]) -> None:
        self._deeds = list(deeds)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tick_until_stopped, name="ticker", daemon=True)

    def start(self) -> None:
        now = time.monotonic()
        for deed in self._deeds:
            deed.next_tick = now + deed.every
        self._thread.start()

    def stop(self) -> None:
        """Leave after the deed that runs."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _tick_until_stopped(self) -> None:
        while True:
            deed = min(self._deeds, key=lambda one: one.next_tick)
            if self._stopping.wait(max(0.0, deed.next_tick - time.monotonic())):
                return
            deed.next_tick = time.monotonic() + deed.every
            try:
                deed.act()
            except NotSaved as trouble:
                log.warning("%s: not done, will try again: %s", deed.name, trouble.why)
            except Exception:
                log.exception("%s: not done, will try again", deed.name)
