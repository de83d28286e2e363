"""kill -9 while an incident is opened and while it is closed: nothing is lost and nothing is said twice."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from bot.demo import manifest
from bot.standin.person import Person
from bot.standin.server import Standin
from bot.store import outbox
from bot.store.db import Database
from tests.crash_house import Mortal
from tests.crash_story import Seen, Story
from tests.houses import until

#: Seconds a call takes at the stand-in, so that kills find calls under way.
_LATENCY = 0.03
#: Lives that end while an incident is opened, and as many while it is closed.
_KILLS = {"sqlite": 6, "postgresql": 2}


class Town:
    """A workspace, and a Lantern that can be killed."""

    def __init__(self, standin: Standin, house: Mortal, db: Database, chance: random.Random) -> None:
        self.standin = standin
        self.house = house
        self._db = db
        self._chance = chance
        named = {user.name: user.id for user in standin.workspace.users.values()}
        self.ana, self.ben = (Person(standin.url, named[name]) for name in ("ana", "ben"))

    def settled(self) -> None:
        def is_quiet() -> bool:
            with self._db.reading() as session:
                waiting = outbox.backlog(session, datetime.now(UTC))
            return waiting.open + waiting.running == 0

        until(is_quiet, 40, "the outbox did not empty")

    def dies_and_lives(self, calls: int, since: int) -> None:
        """Kill it once it has begun so many calls, or a moment later; start it again; wait for all."""
        end = time.monotonic() + 5
        while len(self.standin.calls()) < since + calls and time.monotonic() < end:
            time.sleep(0.001)
        time.sleep(self._chance.random() * 1.5 * _LATENCY)
        self.house.kill()
        self.house.start()
        self.settled()


@contextmanager
def crash_town(database_url: str) -> Iterator[Town]:
    with Standin(latency=_LATENCY, limits=False, retry_scale=0.001) as standin:
        app = standin.install(manifest())
        announced = standin.workspace.channel_named("incidents")
        assert announced is not None
        house = Mortal(
            {
                "slack_bot_token": app.bot_token,
                "slack_signing_secret": app.signing_secret,
                "slack_api_url": standin.api_url,
                "database_url": database_url,
                "announce_channel": announced.id,
            }
        )
        app.request_url = f"{house.url}/slack/events"
        house.start()
        db = Database(database_url)
        try:
            town = Town(standin, house, db, random.Random(20261122))
            # In a channel that it is not in, Lantern could not look whether an announcement arrived.
            town.ana.invites("#incidents", app.bot_user_id)
            yield town
        finally:
            house.kill()
            db.close()


def tell(town: Town, kills: tuple[int, int] | None) -> Seen:
    """Open, log, close. Lantern dies after so many calls of the opening, and of the closing."""
    story = Story(town.standin, town.ana, town.ben, town.settled)
    since = 0

    def note_calls(_step: str) -> None:
        nonlocal since
        since = len(town.standin.calls())

    def dying(calls: int) -> None:
        story.settle = lambda: town.dies_and_lives(calls, since)

    story.before = note_calls
    if kills is not None:
        dying(kills[0])
    story.open()
    story.settle = town.settled
    story.log()
    if kills is not None:
        dying(kills[1])
    story.close()
    return story.seen()


def missing_and_extra(seen: Seen, wanted: Seen) -> tuple[list[str], list[str]]:
    """What of the wanted is not there, and what is there beyond it."""
    there, expected = facts(seen), facts(wanted)
    lost = [one for one in expected if expected.count(one) > there.count(one)]
    doubled = [one for one in there if there.count(one) > expected.count(one)]
    return lost, doubled


def facts(seen: Seen) -> list[str]:
    """Everything that was seen, one by one."""
    found = [*seen.lines, *seen.files, *seen.announced, f"topic {seen.topic}"]
    found += [f"bookmark {title} {link}" for title, link in seen.bookmarks]
    for name, many in (("channel", seen.channels), ("card", seen.cards), ("pin", seen.pins)):
        found += [name] * many
    return found


def test_killed_while_opening_and_closing_it_loses_nothing_and_says_nothing_twice(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = database_url.partition("+")[0].partition(":")[0]
    lost: list[str] = []
    doubled: list[str] = []
    with crash_town(database_url) as town:
        untroubled = tell(town, None)
        chance = random.Random(20261122)
        for _ in range(_KILLS[engine]):
            seen = tell(town, (chance.randint(0, 12), chance.randint(0, 9)))
            missing, extra = missing_and_extra(seen, untroubled)
            lost += missing
            doubled += extra
            assert missing or extra or seen.lines == untroubled.lines, "the order changed"
        killed = town.house.lives - 1
    with capsys.disabled():
        print(f" {engine}: killed {killed}, lost {len(lost)}, doubled {len(doubled)} ", end="")
    assert killed == 2 * _KILLS[engine]
    assert (lost, doubled) == ([], [])
