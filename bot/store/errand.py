"""An errand: one attempt at one piece of work. It remembers every step in the database.

A sender is a plain function that goes through its steps from the top each time. A step that is
remembered is skipped and gives what it gave. Its result, what follows from it, and the intent of the
next step are one commit; so between two calls to Slack there is exactly one. Step names are stored:
never rename a deployed one.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.domain import permit
from bot.domain.outcomes import RateLimited, Refused, Unreachable
from bot.domain.pace import Pace
from bot.store import gates
from bot.store.db import Database, NotSaved, Session
from bot.store.outbox import StepKept, Work
from bot.store.outbox_hold import Hold, LeaseLost

Result = dict[str, Any]
Call = Callable[[], Result]
Look = Callable[[], Result | None]
Then = Callable[[Session, Result], None]

#: Seconds a thread sleeps for its turn; to wait longer the work is put back.
_NAP = 0.2


@dataclass(frozen=True)
class Rhythm:
    """The spans of durable work. Tests shorten them; nothing else does."""

    poll_for: timedelta = timedelta(seconds=1)
    #: With a poll and the calls themselves, a dead replica's work is told again within half a minute.
    lease_for: timedelta = timedelta(seconds=25)
    heartbeat_for: timedelta = timedelta(seconds=6)
    #: After this long since a step's start, what it did at Slack can be seen there.
    settle_for: timedelta = timedelta(seconds=10)
    #: Longest a call may take: the client's own timeout, and not over `settle_for`.
    call_for: timedelta = timedelta(seconds=10)
    back_off_from: timedelta = timedelta(seconds=1)
    back_off_to: timedelta = timedelta(seconds=60)
    give_up_after: timedelta = timedelta(hours=24)
    #: A refusal in a word that nobody knows is not held up as long as that: the channel waits behind it.
    give_up_unfamiliar_after: timedelta = timedelta(minutes=1)


class PutBack(Exception):
    """Not now: the work goes back into the outbox for `wait` and nothing has failed."""

    def __init__(self, wait: timedelta) -> None:
        super().__init__(f"again in {wait.total_seconds():g} s")
        self.wait = wait


@dataclass
class _Unwritten:
    """What a step came to, not committed yet. Result None: Slack surely was not told."""

    name: str
    result: Result | None
    then: Then | None
    #: `then` raised: the answer alone is kept, and the step is asked for its `then` again.
    is_broken: bool = False

    def write(self, hold: Hold, *, is_giving_up: bool) -> None:
        if self.result is None:
            hold.clear_step(self.name)
        elif self.is_broken and is_giving_up:
            hold.keep_answer(self.name, self.result)
        elif hold.finish_step(self.name, self.result) and self.then is not None:
            self.is_broken = True
            self.then(hold.session, self.result)
            self.is_broken = False


class Errand:
    """What a sender is given: the work, and `step`."""

    def __init__(
        self,
        db: Database,
        work: Work,
        steps: dict[str, StepKept],
        *,
        rhythm: Rhythm,
        pace: Pace,
        clock: Callable[[], datetime],
        claimed_tick: float,
        is_stopping: Callable[[], bool],
        halt: threading.Event,
    ) -> None:
        assert work.lease_until is not None
        self.work = work
        #: A step of it went well after a row of failures.
        self.has_recovered = False
        self._db = db
        self._steps = dict(steps)
        self._rhythm = rhythm
        self._pace = pace
        self._clock = clock
        self._is_stopping = is_stopping
        self._halt = halt
        self._claimed_at = work.lease_until - rhythm.lease_for
        self._claimed_tick = claimed_tick
        self._leased_tick = claimed_tick
        self._unwritten: list[_Unwritten] = []

    @property
    def args(self) -> dict[str, Any]:
        return self.work.args

    def has_done(self, name: str) -> bool:
        """Whether a step's result is remembered."""
        kept = self._steps.get(name)
        return kept is not None and kept.result is not None

    def step(
        self,
        name: str,
        call: Call,
        *,
        look: Look | None = None,
        then: Then | None = None,
        method: str | None = None,
        channel: str | None = None,
    ) -> Result:
        """Do `call` once, ever, and give its result (JSON), now or as it is remembered.

        `look` answers what an earlier call did at Slack when nobody knows (None: nothing), and is asked
        before the call is repeated; leave it out where repeating does no harm. `then` writes what
        follows from the result, more work included, in the result's own commit; that commit comes with
        the next step or the end of the errand. `method` and `channel` pace the call.

        Let the exceptions of a call pass, except Refused where a refusal has a way round.
        """
        kept = self._steps.get(name)
        if kept is not None and kept.result is not None:
            if kept.finished_at is None:
                self._remember(name, kept.result, then)
            return kept.result
        if self._is_stopping():
            raise PutBack(timedelta(0))
        if kept is not None and kept.started_at is not None:
            found = self._look_back(kept.started_at, look)
            if found is not None:
                self._remember(name, found, then)
                return found
        self._begin(name, method, channel)
        # A thread that was paused may wake up here, or in the call, long after another replica took over.
        if not self._may_call():
            raise LeaseLost(f"work {self.work.id}: the lease ran out before {name}")
        try:
            with permit.only_while(self._may_call):
                result = call()
        except (Refused, RateLimited, Unreachable):
            del self._steps[name]
            self._unwritten.append(_Unwritten(name, None, None))
            raise
        self._remember(name, result, then)
        return result

    def write(self, last: Callable[[Hold], None], *, is_giving_up: bool = False) -> None:
        """Commit what is unwritten and then `last`, all in one; wait for a database that is away.

        With `is_giving_up` a step whose `then` failed is written as answered but unfinished.
        Raises LeaseLost, NotSaved (told to halt first), and what a `then` raises.
        """
        pause = 0.05
        while True:
            try:
                tick = time.monotonic()
                with self._db.writing() as session:
                    hold = Hold(session, self.work, self._clock(), self._rhythm.lease_for)
                    for each in self._unwritten:
                        each.write(hold, is_giving_up=is_giving_up)
                    last(hold)
                break
            except NotSaved:
                # What Slack answered is only in this thread: keep it until it can be written. The
                # hold refuses it if somebody else was quicker.
                for each in self._unwritten:
                    each.is_broken = False
                if self._halt.wait(pause):
                    raise
                pause = min(pause * 2, 2.0)
        self.has_recovered |= hold.has_recovered
        self.renewed(tick)
        self._unwritten.clear()

    def renewed(self, tick: float) -> None:
        """The lease was renewed by a transaction that began at this monotonic tick."""
        self._leased_tick = max(self._leased_tick, tick)

    def _may_call(self) -> bool:
        lasts_for = self._rhythm.lease_for - self._rhythm.call_for
        return time.monotonic() <= self._leased_tick + lasts_for.total_seconds()

    def _remember(self, name: str, result: Result, then: Then | None) -> None:
        # As the database will give it back: a tuple is a list now, not only after a restart.
        result = json.loads(json.dumps(result, default=str))
        at = self._now()
        self._steps[name] = StepKept(name, at, at, result)
        self._unwritten.append(_Unwritten(name, result, then))

    def _now(self) -> datetime:
        # The clock of the claim, which on PostgreSQL is the one that stamped the steps.
        return self._claimed_at + timedelta(seconds=time.monotonic() - self._claimed_tick)

    def _look_back(self, started_at: datetime, look: Look | None) -> Result | None:
        unsettled_for = started_at + self._rhythm.settle_for - self._now()
        if unsettled_for > timedelta(0):
            raise PutBack(unsettled_for)
        return None if look is None else look()

    def _begin(self, name: str, method: str | None, channel: str | None) -> None:
        """Commit the intent of a step in its turn. Raises PutBack when that is not soon, or the gate is closed."""
        is_shared = self._db.dialect == "postgresql"
        if method and not is_shared:
            self._wait_while(lambda: self._pace.wait_for(method, channel or "", self.work.id))
        opens_at: datetime | None = None
        shut_for = 0.0

        def intend(hold: Hold) -> None:
            nonlocal opens_at, shut_for
            if method and is_shared:
                lines = self._pace.lines(method, channel or "")
                opens_at = gates.take_turn(hold.session, method, lines, hold.now)
            elif method:
                opens_at = gates.opens_at(hold.session, method, hold.now)
            if opens_at is None:
                hold.begin_step(name)
            shut_for = (opens_at - hold.now).total_seconds() if opens_at is not None else 0.0

        def ask() -> float:
            self.write(intend)
            return shut_for

        self._wait_while(ask)
        self._steps[name] = StepKept(name, self._now(), None, None)

    def _wait_while(self, ask: Callable[[], float]) -> None:
        """Ask until there is nothing to wait for. A longer wait, or a halt, puts the work back."""
        while (wait := ask()) > 0:
            if wait > _NAP or self._halt.wait(wait):
                raise PutBack(timedelta(seconds=wait))


Sender = Callable[[Errand], None]
