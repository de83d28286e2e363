"""The postman: delivers the outbox to Slack, in order within a key, in parallel across keys.

Nothing it is doing is known only to it: kill it anywhere and the next one, or another replica, goes on
from the last commit. `except Exception` stands here because the work is kept and tried again.
"""

from __future__ import annotations

import heapq
import logging
import os
import queue
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.domain.outcomes import RateLimited, Refused, Undelivered, Unfamiliar
from bot.domain.pace import Pace
from bot.store import gates, outbox, outbox_bell
from bot.store.db import Database, NotSaved, Session
from bot.store.errand import Errand, PutBack, Rhythm, Sender
from bot.store.outbox import Work
from bot.store.outbox_hold import Hold, LeaseLost

log = logging.getLogger(__name__)

#: Told, in the transaction that sets a work aside, what happened and what a person can do about it.
Told = Callable[[Session, Work, str], None]
Ending = Callable[[Hold], None]


def tell_nobody(_session: Session, _work: Work, _sentence: str) -> None:
    """For a house without people: what was set aside is in the log and on the health page."""


class Postman:
    """Takes work from the outbox and runs its sender. Start it, stop it, and ring it after a put."""

    def __init__(
        self,
        db: Database,
        senders: Mapping[str, Sender],
        clock: Callable[[], datetime],
        ring: threading.Event,
        *,
        threads: int = 8,
        on_set_aside: Told = tell_nobody,
        rhythm: Rhythm | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._db = db
        self._senders = senders
        self._clock = clock
        self._ring = ring
        self._size = threads
        self._on_set_aside = on_set_aside
        self._rhythm = rhythm or Rhythm()
        self._pace = pace or Pace(time.monotonic)
        self._stopping = threading.Event()
        self._halt = threading.Event()
        self._errands: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._running: dict[int, Errand] = {}
        self._hurried_tick = float("-inf")
        #: Monotonic ticks at which something that was put back is due.
        self._due: list[float] = []
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to deliver. On SQLite, also free what our former life held: there is only one of us."""
        if self._db.dialect == "sqlite":
            with self._db.writing() as session:
                outbox.free_running(session, self._clock())
        self._rounds = [self._spawn(f"round-{n}", self._deliver_until_stopped) for n in range(self._size)]
        self._claimer = self._spawn("claims", self._claim_until_stopped)
        self._spawn("leases", self._renew_until_stopped)
        if self._db.dialect == "postgresql":
            self._spawn("bell", self._listen_until_stopped)

    def stop(self, drain_for: float = 10.0) -> bool:
        """Claim nothing more, let running steps end, put the rest back. False when `drain_for` seconds
        were not enough; what was left is then found and looked up by the next start."""
        until = time.monotonic() + drain_for
        self._stopping.set()
        self._ring.set()
        self._join(until, self._claimer)
        for _ in self._rounds:
            self._errands.put(None)
        self._join(until, *self._rounds)
        # Leases were renewed until here: what still ran was ours.
        self._halt.set()
        self._join(max(until, time.monotonic() + 2.0), *self._threads)
        return not any(thread.is_alive() for thread in self._threads)

    def is_alive(self) -> bool:
        """True while every thread of it runs."""
        return bool(self._threads) and all(thread.is_alive() for thread in self._threads)

    def _spawn(self, name: str, run: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=run, name=f"postman-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    @staticmethod
    def _join(until: float, *threads: threading.Thread) -> None:
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _claim_until_stopped(self) -> None:
        pause = 0.1
        while not self._stopping.is_set():
            try:
                took_any = self._claim()
            except NotSaved as error:
                log.warning("the outbox cannot be read, trying again: %s", error.why)
                self._stopping.wait(pause)
                pause = min(pause * 2, 5.0)
                continue
            except Exception:
                log.exception("the outbox cannot be read, trying again")
                self._stopping.wait(pause)
                pause = min(pause * 2, 5.0)
                continue
            pause = 0.1
            if not took_any:
                self._ring.wait(self._idle_for())
                self._ring.clear()

    def _claim(self) -> bool:
        with self._lock:
            held = list(self._running)
        free = self._size - len(held)
        if free <= 0:
            return False
        tick = time.monotonic()
        with self._db.writing() as session:
            taken = outbox.claim(
                session, self.owner, self._clock(), self._rhythm.lease_for, free, besides=held
            )
            old = [work.id for work in taken if work.attempts > 1]
            steps = outbox.steps_of(session, old) if old else {}
        for work in taken:
            errand = Errand(
                self._db,
                work,
                steps.get(work.id, {}),
                rhythm=self._rhythm,
                pace=self._pace,
                clock=self._clock,
                claimed_tick=tick,
                is_stopping=self._stopping.is_set,
                halt=self._halt,
            )
            with self._lock:
                self._running[work.id] = errand
            self._errands.put(errand)
        return bool(taken)

    def _idle_for(self) -> float:
        now = time.monotonic()
        idle_for = self._rhythm.poll_for.total_seconds()
        with self._lock:
            while self._due and self._due[0] <= now:
                heapq.heappop(self._due)
                idle_for = 0.0
            if self._due:
                idle_for = min(idle_for, self._due[0] - now)
        return idle_for

    def _deliver_until_stopped(self) -> None:
        while (errand := self._errands.get()) is not None:
            try:
                self._deliver(errand)
            finally:
                with self._lock:
                    self._running.pop(errand.work.id, None)
                # The key's next item may go now.
                self._ring.set()

    def _deliver(self, errand: Errand) -> None:
        work = errand.work
        try:
            ending = self._attempt(errand)
            if ending is not None:
                errand.write(ending, is_giving_up=True)
            elif errand.has_recovered:
                self._hurry()
        except LeaseLost as lost:
            log.warning("%s; left to whoever holds it", lost)
        except NotSaved as error:
            log.warning("work %d: not saved (%s); it is looked up when its lease ends", work.id, error.why)
        except Exception:
            log.exception("work %d (%s): its end cannot be written; its lease runs out", work.id, work.kind)

    def _hurry(self) -> None:
        """Slack is well again: what waits because it was not is tried now, not in up to a minute."""
        tick = time.monotonic()
        with self._lock:
            if tick < self._hurried_tick + 2 * self._rhythm.back_off_from.total_seconds():
                return
            self._hurried_tick = tick
        with self._db.writing() as session:
            hurried = outbox.hurry(session, self._clock())
        if hurried:
            log.info("Slack answers again: %d notices that waited for it go now", hurried)

    def _attempt(self, errand: Errand) -> Ending | None:
        """Run the sender; None when the work is done, else how this attempt is to end."""
        work = errand.work
        sender = self._senders.get(work.kind)
        if sender is None:
            log.error("work %d: nobody here delivers %r; left for a newer replica", work.id, work.kind)
            return self._failed(work, f"no sender for {work.kind}")
        try:
            if self._stopping.is_set():
                raise PutBack(timedelta(0))
            sender(errand)
            errand.write(Hold.finish)
        except LeaseLost:
            raise
        except NotSaved as lost:
            # An errand waits for a database that is away; what a sender reads or does for itself does not.
            log.warning("work %d (%s): not saved (%s); it is tried again", work.id, work.kind, lost.why)
            return self._failed(work, f"NotSaved: {lost.why}")
        except PutBack as later:
            return self._later(later.wait)
        except RateLimited as limited:
            log.info("work %d: %s", work.id, limited)
            return self._gate(limited)
        except Refused as refused:
            log.warning("work %d (%s) refused: %s", work.id, work.kind, refused.error)
            return self._aside(work, refused.error, refused.sentence)
        except Unfamiliar as failure:
            log.warning("work %d (%s): Slack says an unknown word, %s", work.id, work.kind, failure)
            return self._failed(work, failure.error, failure.sentence)
        except Undelivered as failure:
            log.info("work %d (%s): %s %s", work.id, work.kind, type(failure).__name__, failure)
            return self._failed(work, f"{type(failure).__name__}: {failure}")
        except Exception as mistake:
            log.exception("work %d (%s) failed; it is kept and tried again", work.id, work.kind)
            return self._failed(work, f"{type(mistake).__name__}: {mistake}")
        return None

    def _later(self, wait: timedelta) -> Ending:
        self._wake_in(wait)
        return lambda hold: hold.put_back(hold.now + wait)

    def _gate(self, limited: RateLimited) -> Ending:
        # Slack rounds Retry-After to whole seconds; a little over it is surely over.
        wait = timedelta(seconds=limited.retry_after * (1 + 0.1 * _chance()))
        self._wake_in(wait)

        def end(hold: Hold) -> None:
            gates.close(hold.session, limited.method, hold.now + timedelta(seconds=limited.retry_after))
            hold.put_back(hold.now + wait)

        return end

    def _failed(self, work: Work, error: str, unfamiliar: str = "") -> Ending:
        """Tried again later; after its time set aside, with the sentence `unfamiliar` when that is given."""
        error = error[:2000]
        rhythm = self._rhythm
        give_up_after = rhythm.give_up_unfamiliar_after if unfamiliar else rhythm.give_up_after

        def end(hold: Hold) -> None:
            failing_for = hold.now - (hold.first_failed_at or hold.now)
            if failing_for < give_up_after:
                # As long again as it has been failing: 1 s, 2, 4 ... a minute.
                wait = min(max(failing_for, rhythm.back_off_from), rhythm.back_off_to)
                wait *= 0.75 + 0.5 * _chance()
                self._wake_in(wait)
                hold.fail(hold.now + wait, error)
                return
            hours = give_up_after.total_seconds() / 3600
            tried = f"It was tried for {hours:g} hours. The last answer was: {error}"
            self._aside(work, error, unfamiliar or tried)(hold)

        return end

    def _aside(self, work: Work, error: str, sentence: str) -> Ending:
        def end(hold: Hold) -> None:
            hold.set_aside(error)
            try:
                with hold.session.begin_nested():
                    self._on_set_aside(hold.session, work, sentence)
            except Exception:
                log.exception("work %d is set aside and nobody could be told: %s", work.id, sentence)

        return end

    def _wake_in(self, wait: timedelta) -> None:
        with self._lock:
            heapq.heappush(self._due, time.monotonic() + wait.total_seconds() + 0.005)

    def _renew_until_stopped(self) -> None:
        while not self._halt.wait(self._rhythm.heartbeat_for.total_seconds()):
            with self._lock:
                held = dict(self._running)
            if not held:
                continue
            tick = time.monotonic()
            try:
                with self._db.writing() as session:
                    renewed = outbox.heartbeat(
                        session, self.owner, list(held), self._clock(), self._rhythm.lease_for
                    )
            except NotSaved as error:
                log.warning("leases not renewed: %s", error.why)
                continue
            except Exception:
                log.exception("leases not renewed")
                continue
            for work_id in renewed:
                held[work_id].renewed(tick)

    def _listen_until_stopped(self) -> None:
        while not self._stopping.is_set():
            try:
                outbox_bell.listen(self._db, self._ring.set, self._stopping)
            except Exception as error:  # noqa: BLE001
                # The poll finds the same work, up to a second later.
                log.warning("the bell is silent, trying again: %s", error)
                self._stopping.wait(2.0)


def _chance() -> float:
    """A number from 0 to 1: spreads what would otherwise come back all at once."""
    return secrets.randbelow(1000) / 1000
