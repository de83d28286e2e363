"""One of two replicas is killed while it delivers: how long until the other has told everything."""

from __future__ import annotations

import time

from bot.store.errand import Rhythm
from tests.crash.replicas import Replicas, replicas
from tests.crash.score import Score, Told, census, told
from tests.crash.teller import Teller
from tests.crash_house import Life
from tests.crash_story import Story
from tests.houses import until

#: Incidents that are opened at once.
_INCIDENTS = 4


def take_over(database_url: str, rhythm: Rhythm) -> tuple[float, Score]:
    """Seconds from kill -9 of the one until the other is done, and what came of the incidents."""
    with replicas(database_url, [Life(rhythm)] * 2, latency=0.1) as here:
        Teller(here).told(["open"])
        wanted = Teller(here).told(["open"])
        before = census(here.standin, here.db, here.ana)
        here.choose(0)
        stories = [Story(here.standin, here.ana, here.ben, lambda: None) for _ in range(_INCIDENTS)]
        for story in stories:
            story.opens("#general")
        died_at = _killed_at_work(here)
        until(here.is_quiet, 120, "nobody took over")
        took = time.monotonic() - died_at
        # All of them are compared as one, so that one doubled is not evened out by one that is lost.
        found = Told((census(here.standin, here.db, here.ana) - before).facts(), [])
        for story in stories:
            each = told(here.standin, here.db, here.ana, story.number)
            found.facts.extend(each.facts)
            found.lines.extend(each.lines)
    score = Score()
    score.judge(found, Told(wanted.facts * _INCIDENTS, wanted.lines * _INCIDENTS))
    return took, score


def _killed_at_work(here: Replicas) -> float:
    """Kill the second one while it holds work; gives when."""
    other = here.houses[1]
    while True:
        until(lambda: bool(here.works_of(1)), 15, "the second replica did nothing")
        other.freeze()
        if here.works_of(1):
            other.kill()
            return time.monotonic()
        # It ended just then.
        other.thaw()
