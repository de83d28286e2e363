"""Lantern in one or more processes on one database, each with its own way to Slack and back, on which it may die."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from sqlalchemy import func, select

from bot.demo import manifest
from bot.standin.person import Person
from bot.standin.server import Standin
from bot.store import outbox
from bot.store.db import Database
from bot.store.work_tables import work, work_step
from tests.crash.fate import Fate, Point
from tests.crash.passage import Passage
from tests.crash_house import Life, Mortal
from tests.houses import until

#: Seconds a call takes at the stand-in, so that others are under way when one dies.
_LATENCY = 0.005
#: Seconds without anything to deliver, after which a deed has had all its effects.
_QUIET_FOR = 0.05

#: Seconds in which one that wakes up would do what it must not.
_WAKES_IN = 0.3


class Replicas:
    """A workspace's Lantern, a process for each life. `fate` says when one is killed, or frozen (SIGSTOP)."""

    def __init__(
        self,
        standin: Standin,
        database_url: str,
        lives: Sequence[Life],
        *,
        is_freezing: bool = False,
    ) -> None:
        self.standin = standin
        self.fate = Fate()
        self._is_freezing = is_freezing
        self.db = Database(database_url)
        self._app = standin.install(manifest())
        #: Which of them Slack asks.
        self.chance = random.Random(0)
        self._open = ExitStack()
        self._burying = threading.Lock()
        #: Those that are dead now, and where each died.
        self._dead: dict[int, tuple[str, Point]] = {}
        announced = standin.workspace.channel_named("incidents")
        assert announced is not None
        self.houses: list[Mortal] = []
        self._ways_in: list[Passage] = []
        for at, life in enumerate(lives):
            way_out = self._way(Passage(standin.api_url, self.fate, self._killing(at), self._committing(at)))
            self.houses.append(
                Mortal(
                    {
                        "slack_bot_token": self._app.bot_token,
                        "slack_signing_secret": self._app.signing_secret,
                        "slack_api_url": way_out.url,
                        "database_url": database_url,
                        "announce_channel": announced.id,
                    },
                    life,
                )
            )
            self._ways_in.append(self._way(Passage(self.houses[at].url, self.fate, self._killing(at))))
        named = {user.name: user.id for user in standin.workspace.users.values()}
        self.ana, self.ben = (Person(standin.url, named[name]) for name in ("ana", "ben"))
        # In a channel that it is not in, Lantern could not look whether an announcement arrived.
        self.ana.invites("#incidents", self._app.bot_user_id)

    def _way(self, passage: Passage) -> Passage:
        return self._open.enter_context(passage)

    def _killing(self, at: int) -> Callable[[str, Point], None]:
        def kill(method: str, point: Point) -> None:
            with self._burying:
                if at not in self._dead:
                    self._dead[at] = (method, point)
                    if self._is_freezing:
                        self.houses[at].freeze()
                    else:
                        self.houses[at].kill()

        return kill

    def _committing(self, at: int) -> Callable[[], object]:
        """When this replica last committed what came of a call."""
        newest = select(func.max(work_step.c.finished_at)).join(work, work.c.id == work_step.c.work_id)

        def committed() -> object:
            with self.db.reading() as session:
                return session.execute(
                    newest.where(work.c.owner.contains(f":{self.houses[at].pid}:"))
                ).scalar()

        return committed

    def start(self) -> None:
        for house in self.houses:
            house.start()
        self.choose()

    def stop(self) -> None:
        for house in self.houses:
            house.kill()
        self._open.close()
        self.db.close()

    @property
    def is_hurt(self) -> bool:
        """One of them is dead."""
        return bool(self._dead)

    def choose(self, at: int | None = None) -> None:
        """Slack sends the next requests to this one, or to one of those that live."""
        if at is None:
            at = self.chance.choice([one for one in range(len(self.houses)) if one not in self._dead])
        self._app.request_url = f"{self._ways_in[at].url}/slack/events"

    def works_of(self, at: int) -> list[int]:
        """The works that this replica holds."""
        with self.db.reading() as session:
            held = work.c.owner.contains(f":{self.houses[at].pid}:"), work.c.state == "running"
            return list(session.execute(select(work.c.id).where(*held)).scalars())

    def settled(self, on_death: Callable[[str, Point], None] = lambda _method, _point: None) -> None:
        """Wait until all is delivered. Whoever dies meanwhile is started again, and told of.

        On_death may make a further plan; what is left of a plan in the end is dropped.
        """
        quiet_since = 0.0
        end = time.monotonic() + 60
        while True:
            assert time.monotonic() < end, f"the outbox did not empty: {self._unfinished()}"
            if self._dead:
                for method, point in self._buried():
                    on_death(method, point)
                quiet_since = 0.0
            elif not self.is_quiet():
                quiet_since = 0.0
            elif not quiet_since:
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > _QUIET_FOR:
                self.fate.plan(None)
                # One that died in the very last moment is found in a further round.
                if not self._dead:
                    return
            time.sleep(0.01)

    def _buried(self) -> list[tuple[str, Point]]:
        """Start the dead again, and give where they died."""
        with self._burying:
            deaths = list(self._dead.values())
            for at in sorted(self._dead):
                if self._is_freezing:
                    # What it was at is taken over by another and done; then it wakes up in the middle of it.
                    until(self.is_quiet, 60, "nobody took over what a frozen one was at")
                    self.houses[at].thaw()
                    time.sleep(_WAKES_IN)
                else:
                    self.houses[at].start()
            self._dead.clear()
        self.choose()
        return deaths

    def is_quiet(self) -> bool:
        """Nothing is left to deliver, but for what is only meant for later."""
        with self.db.reading() as session:
            waiting = outbox.backlog(session, datetime.now(UTC))
        return waiting.open + waiting.running == 0

    def _unfinished(self) -> list[str]:
        with self.db.reading() as session:
            rows = session.execute(select(work).where(work.c.state.in_(("open", "running")))).all()
        return [f"{row.kind} {row.state} {row.attempts}: {row.last_error}" for row in rows]


@contextmanager
def replicas(
    database_url: str, lives: Sequence[Life], *, is_freezing: bool = False, latency: float = _LATENCY
) -> Iterator[Replicas]:
    """A workspace and Lantern in it, started."""
    # An event that nobody heard comes again at once, and after 0.6 and 3 s.
    with Standin(latency=latency, limits=False, retry_scale=0.01) as standin:
        here = Replicas(standin, database_url, lives, is_freezing=is_freezing)
        try:
            here.start()
            yield here
        finally:
            here.stop()
