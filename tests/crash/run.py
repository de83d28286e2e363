"""Telling one incident's story over and over while Lantern is killed at one call after the other."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.demo import manifest
from bot.standin.person import Denied, Person
from bot.standin.server import Standin
from bot.store import incident as incidents
from bot.store import outbox
from bot.store.db import Database
from tests.crash.passage import Passage, Plan, Point
from tests.crash_house import Mortal
from tests.crash_story import Seen, Story
from tests.houses import until

#: Seconds a call takes at the stand-in, so that others are under way when one dies.
_LATENCY = 0.005
#: Calls that a deed of the story makes, about: the n-th is chosen among them.
CALLS = {"open": 10, "log": 1, "image": 2, "runbook": 2, "step": 2, "update": 3, "close": 6}
_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


@dataclass
class Score:
    """What came of a run."""

    killed: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: int = 0
    #: Where it died, and how often.
    points: Counter[str] = field(default_factory=Counter)
    #: Deeds that ended before their plan came true.
    spared: int = 0

    def __str__(self) -> str:
        return (
            f"killed {self.killed}, lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"out of order {self.disordered} (spared {self.spared})"
        )


class Replicas:
    """Lantern in one or more processes, each with its own way to Slack, on one database."""

    def __init__(self, standin: Standin, database_url: str, replicas: int, chance: random.Random) -> None:
        self.standin = standin
        self.app = standin.install(manifest())
        announced = standin.workspace.channel_named("incidents")
        assert announced is not None
        self._chance = chance
        self._open = ExitStack()
        self.db = Database(database_url)
        self.houses: list[Mortal] = []
        self.passages: list[Passage] = []
        self.dead: set[int] = set()
        self._burying = threading.Lock()
        for at in range(replicas):
            passage = self._open.enter_context(Passage(standin.api_url, self._killing(at)))
            self.passages.append(passage)
            self.houses.append(
                Mortal(
                    {
                        "slack_bot_token": self.app.bot_token,
                        "slack_signing_secret": self.app.signing_secret,
                        "slack_api_url": passage.api_url,
                        "database_url": database_url,
                        "announce_channel": announced.id,
                    }
                )
            )
        named = {user.name: user.id for user in standin.workspace.users.values()}
        self.ana, self.ben = (Person(standin.url, named[name]) for name in ("ana", "ben"))
        # In a channel that it is not in, Lantern could not look whether an announcement arrived.
        self.ana.invites("#incidents", self.app.bot_user_id)

    def _killing(self, at: int) -> Callable[[], None]:
        def kill() -> None:
            with self._burying:
                self.dead.add(at)
                self.houses[at].kill()

        return kill

    def start(self) -> None:
        for house in self.houses:
            house.start()
        self.choose()

    def stop(self) -> None:
        for house in self.houses:
            house.kill()
        self._open.close()
        self.db.close()

    def choose(self) -> None:
        """Slack sends the next requests to one of those that live."""
        alive = [house for at, house in enumerate(self.houses) if at not in self.dead]
        self.app.request_url = f"{self._chance.choice(alive).url}/slack/events"

    def plan(self, plan: Plan) -> None:
        """One replica of them all dies at that call, whoever makes it."""
        for passage in self.passages:
            passage.plan(Plan(plan.point, plan.nth, plan.later))

    def settled(self) -> str:
        """Wait until a planned death has come and all is delivered; gives where it died, or ""."""
        quiet_since = 0.0
        end = time.monotonic() + 60
        while True:
            assert time.monotonic() < end, "the outbox did not empty"
            if self.dead:
                return self._buried()
            if self._is_quiet():
                quiet_since = quiet_since or time.monotonic()
                if time.monotonic() - quiet_since > 0.05:
                    break
            else:
                quiet_since = 0.0
            time.sleep(0.01)
        for passage in self.passages:
            passage.plan(None)
        # One that died in the very last moment.
        return self._buried() if self.dead else ""

    def _buried(self) -> str:
        for passage in self.passages:
            passage.plan(None)
        where = ""
        with self._burying:
            for at in sorted(self.dead):
                where = self.passages[at].died_at
                self.houses[at].start()
            self.dead.clear()
        self.choose()
        until(self._is_quiet, 60, f"the outbox did not empty after a death {where}")
        return where

    def _is_quiet(self) -> bool:
        with self.db.reading() as session:
            waiting = outbox.backlog(session, datetime.now(UTC))
        return waiting.open + waiting.running == 0


@contextmanager
def replicas(database_url: str, count: int, chance: random.Random) -> Iterator[Replicas]:
    """A workspace and Lantern in it, `count` times, started."""
    with Standin(latency=_LATENCY, limits=False, retry_scale=0.001) as standin:
        here = Replicas(standin, database_url, count, chance)
        try:
            here.start()
            yield here
        finally:
            here.stop()


class Teller(Story):
    """Tells the story; with a score, Lantern dies once in every deed of it.

    Whoever is told by Slack that a command failed looks whether it was done, and types it again if not.
    """

    def __init__(self, here: Replicas, chance: random.Random, score: Score | None) -> None:
        super().__init__(here.standin, here.ana, here.ben, self._settled)
        self._here, self._chance, self._score = here, chance, score
        self.deaths: list[str] = []

    def tell(self) -> Seen:
        self._arm("open")
        self.open()
        self._arm("log")
        self._do("log", lambda: self._said("/log detection: alarms on login", "alarms on login"))
        self._arm("image")
        self._do("image", self._logs_an_image)
        self._arm("runbook")
        self._do("runbook", lambda: self._said("/runbook start lb-uneven-traffic", "step 1 of"))
        self._arm("step")
        self._do("step", self._marks_the_step)
        self._arm("update")
        self._do("update", lambda: self._said("/incident update a fix is coming", "a fix is coming"))
        self._arm("close")
        self.close()
        return self.seen()

    def opens(self, asked_in: str) -> None:
        known = self._newest()
        self._trying(lambda: Story.opens(self, asked_in), lambda: self._newest() > known)
        self.number = self._newest()

    def _newest(self) -> int:
        with self._here.db.reading() as session:
            found = incidents.find_any(session, is_whole=True, limit=1)
        return found[0].number if found else 0

    def _said(self, line: str, trace: str) -> None:
        self._trying(lambda: self._types(line, ""), lambda: any(trace in one for one in self.seen().lines))

    def closes(self) -> None:
        def is_closed() -> bool:
            with self._here.db.reading() as session:
                found = incidents.find_by_number(session, self.number)
            return found is not None and found.status.is_over

        self._trying(lambda: Story.closes(self), is_closed)

    def _trying(self, deed: Callable[[], object], is_done: Callable[[], bool]) -> None:
        """Do it until Slack does not say that it failed, or until it is seen to be done."""
        for _ in range(5):
            try:
                deed()
                return
            except Denied as denied:
                if denied.error != "dispatch_failed":
                    raise
            self._settled()
            if is_done():
                return
        raise AssertionError("it failed five times")

    def _logs_an_image(self) -> None:
        here, channel = self._here, self.channel
        sent = here.ana.uploads(channel, "failed-logins.png", _PICTURE, "failed logins of the last hour")
        here.ana.reacts(str(sent["ts"]), "pushpin", channel)
        # The event travels by itself, and Slack sends it again to whoever lives.
        until(self._is_marked, 40, "the reaction was not heard")

    def _is_marked(self) -> bool:
        if self._here.dead:
            self._settled()
        return self.seen().marks > 0

    def _marks_the_step(self) -> None:
        step = self._message("step 1 of")
        self._trying(
            lambda: self._here.ana.clicks(step, "Done"),
            lambda: any("step 2 of" in line for line in self.seen().lines),
        )

    def _arm(self, deed: str) -> None:
        if self._score is None:
            return
        point = self._chance.choice(list(Point))
        later = self._chance.uniform(0.002, 0.06) if point is Point.COMMIT else 0.0
        self._here.plan(Plan(point, self._chance.randint(1, CALLS[deed]), later))

    def _settled(self) -> None:
        died = self._here.settled()
        if self._score is None:
            return
        if died:
            self._score.killed += 1
            self._score.points[died] += 1
            self.deaths.append(f"after {self.steps[-1] if self.steps else 'nothing'}: {died}")
        else:
            self._score.spared += 1


def missing_and_extra(seen: Seen, wanted: Seen) -> tuple[list[str], list[str]]:
    """What of the wanted is not there, and what is there beyond it, each as often as it is."""
    there, expected = Counter(facts(seen)), Counter(facts(wanted))
    return sorted((expected - there).elements()), sorted((there - expected).elements())


def facts(seen: Seen) -> list[str]:
    """Everything that was seen, one by one."""
    found = [*seen.lines, *seen.files, *seen.announced, f"topic {seen.topic}"]
    found += [f"bookmark {title} {link}" for title, link in seen.bookmarks]
    for name, many in (
        ("channel", seen.channels),
        ("card", seen.cards),
        ("pin", seen.pins),
        ("mark", seen.marks),
    ):
        found += [name] * many
    return found


def attack(
    database_url: str, *, kills: int, count: int, seed: int, said: Callable[[str], None] = lambda _: None
) -> Score:
    """Tell stories until Lantern has died so often. What went wrong is said with what repeats it."""
    score = Score()
    chance = random.Random(seed)
    with replicas(database_url, count, chance) as here:
        wanted = Teller(here, chance, None).tell()
        told = 0
        while score.killed < kills:
            told += 1
            teller = Teller(here, chance, score)
            seen = teller.tell()
            missing, extra = missing_and_extra(seen, wanted)
            score.lost += missing
            score.doubled += extra
            is_mixed = not missing and not extra and seen.lines != wanted.lines
            score.disordered += is_mixed
            if missing or extra or is_mixed:
                said(f"story {told} (seed {seed}), died {teller.deaths}: lost {missing}, doubled {extra}")
                if is_mixed:
                    said(f"  order: {seen.lines}\n  wanted: {wanted.lines}")
            if told % 10 == 0:
                said(f"{told} stories: {score}")
    return score
