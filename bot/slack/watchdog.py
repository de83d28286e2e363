"""The watchdog of one Socket Mode connection: notices that it is deaf, and replaces it.

Every connection is made with a ticket of its own: what was tried once with a ticket is not tried again.
A connection that Slack wants to end is heard until its successor is up.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.domain.outcomes import RateLimited, Undelivered
from bot.slack.socket_line import Line

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Vigil:
    """Spans of the watch, in seconds."""

    ping_every: float = 5.0
    #: Nothing heard for so long, not even the answer to a ping: deaf.
    deaf_after: float = 15.0
    #: Pings are answered but nothing is said for so long: replaced, in case only its edge lives.
    quiet_after: float = 600.0
    #: For the WebSocket's handshake and Slack's hello.
    open_for: float = 5.0
    #: Between attempts, doubled from the first to the last, half of it by chance.
    back_off_from: float = 1.0
    back_off_to: float = 30.0
    #: One that ended sooner than this counts as a failed attempt.
    steady_after: float = 10.0
    #: How long a replaced connection is still heard, unless Slack closes it first.
    linger_for: float = 30.0
    look_every: float = 0.5


class Watchdog:
    """Keeps one connection up from `start()` to `stop()`.

    `turn` is shared by the watchdogs of a door: one dials at a time. `is_staggered` replaces the first connection
    after half its life, so that Slack's hourly refreshes of two connections do not fall together.
    """

    def __init__(
        self,
        name: str,
        dial: Callable[[], Line],
        turn: threading.Lock,
        vigil: Vigil,
        *,
        on_regained: Callable[[], None],
        is_staggered: bool = False,
    ) -> None:
        self._name = name
        self._dial = dial
        self._turn = turn
        self._vigil = vigil
        self._on_regained = on_regained
        self._is_staggered = is_staggered
        self._stopping = threading.Event()
        self._line: Line | None = None
        #: Replaced connections that are still heard, and when they are let go.
        self._leaving: list[tuple[Line, float]] = []
        self._failures = 0
        self._is_gap = False
        self._thread = threading.Thread(
            target=self._watch_until_stopped, name=f"watchdog-{name}", daemon=True
        )

    @property
    def is_hearing(self) -> bool:
        """True while it has a connection that Slack can be heard on."""
        now = time.monotonic()
        return any(
            line.is_up and not line.is_over and now - line.heard_at <= self._vigil.deaf_after
            for line in self._lines()
        )

    def start(self, line: Line | None = None, *, is_late: bool = False) -> None:
        """Begin to watch, with a connection that is up already or with dialling one; `is_late` when that
        failed before."""
        self._line = line
        self._failures = int(is_late)
        self._is_gap = is_late
        self._thread.start()

    def stop(self) -> None:
        """Dial no more. The connections stay, for the last answers, until `hang_up()`."""
        self._stopping.set()
        line = self._line
        if line is not None:
            line.news.set()

    def hang_up(self) -> None:
        """Close what is open."""
        if self._thread.is_alive():
            # Longer only when it is just now dialling; what comes up then is closed there.
            self._thread.join(2.0)
        for line in self._lines():
            line.close()

    def _lines(self) -> list[Line]:
        line = self._line
        return [*([line] if line is not None else []), *(old for old, _ in list(self._leaving))]

    def _watch_until_stopped(self) -> None:
        while not self._stopping.is_set():
            if self._line is not None:
                self._is_gap = self._watch(self._line)
            is_first_try = self._replace()
            if not self._stopping.is_set() and (self._is_gap or not is_first_try):
                self._on_regained()

    def _replace(self) -> bool:
        """Put a new connection in place of the one there is. False when that took more than one attempt."""
        attempts = 0
        while not self._stopping.is_set():
            wait = self._back_off()
            if wait:
                self._wait(wait)
            if self._stopping.is_set():
                break
            attempts += 1
            try:
                with self._turn:
                    line = self._dial()
            except Undelivered as trouble:
                self._failures += 1
                log.warning("connection %s: %s", self._name, trouble)
                if isinstance(trouble, RateLimited):
                    self._wait(trouble.retry_after)
                continue
            self._swap(line)
            break
        return attempts <= 1

    def _swap(self, line: Line) -> None:
        old, self._line = self._line, line
        if self._stopping.is_set():
            line.close()
        elif old is not None and not old.is_over:
            self._leaving.append((old, time.monotonic() + self._vigil.linger_for))
        log.info("connection %s is up", self._name)

    def _back_off(self) -> float:
        """Seconds to wait before the next attempt; 0 when nothing has failed."""
        if not self._failures:
            return 0.0
        longest = min(self._vigil.back_off_to, self._vigil.back_off_from * 2.0 ** min(self._failures - 1, 20))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 (spreads replicas, guards nothing)

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not self._stopping.is_set():
            self._let_go()
            self._stopping.wait(min(left, self._vigil.look_every))

    def _watch(self, line: Line) -> bool:
        """Wait until the connection must be replaced. True when something may have been missed by then."""
        why = ""
        while not why and not self._stopping.is_set():
            line.news.wait(self._vigil.look_every)
            line.news.clear()
            self._let_go()
            why = self._fault(line)
        if self._stopping.is_set():
            return False
        is_gap = line.is_over and not line.goodbye
        log.log(logging.WARNING if is_gap else logging.INFO, "connection %s: %s", self._name, why)
        is_steady = time.monotonic() - line.born_at >= self._vigil.steady_after
        self._failures = 0 if is_steady else self._failures + 1
        return is_gap

    def _fault(self, line: Line) -> str:
        """Why the connection must be replaced; "" when it is well. A deaf one is closed."""
        now, vigil = time.monotonic(), self._vigil
        if line.goodbye:
            return f"Slack ends it ({line.goodbye})"
        if line.is_over:
            return line.why
        silent = line.silent_for(vigil.ping_every)
        if silent > vigil.deaf_after:
            line.close()
            return f"deaf: nothing heard for {silent:.1f} s"
        if now - line.said_at > vigil.quiet_after:
            return f"nothing said for {vigil.quiet_after:.0f} s"
        if self._is_staggered and now - line.born_at > line.lasts_for / 2:
            self._is_staggered = False
            return "half its life is over: two are not to be refreshed together"
        return ""

    def _let_go(self) -> None:
        now = time.monotonic()
        for old, at in list(self._leaving):
            if old.is_over or (now > at and not old.is_busy):
                old.close()
                self._leaving.remove((old, at))
