"""Telling stories until Lantern has died often enough, at every point of every call."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import count

from bot.standin.person import Denied
from tests.crash.fate import Plan, points_of
from tests.crash.replicas import Replicas, replicas
from tests.crash.score import Death, Score, Told
from tests.crash.teller import DEEDS, Teller
from tests.crash_house import Life


class Course:
    """Every way to die in each deed, in an order of chance; from the start again when all had their turn."""

    def __init__(self, calls: dict[str, list[str]], chance: random.Random) -> None:
        self._chance = chance
        self.ways = {deed: _ways(calls[deed]) for deed in DEEDS}
        self._left: dict[str, list[Plan]] = {deed: [] for deed in DEEDS}

    def next(self) -> dict[str, Plan]:
        """A plan for each deed of one story."""
        chosen = {}
        for deed, left in self._left.items():
            if not left:
                left += self._chance.sample(self.ways[deed], len(self.ways[deed]))
            chosen[deed] = left.pop()
        return chosen


def _ways(calls: Iterable[str]) -> list[Plan]:
    """Each call of each method at each point; of the many events only the first."""
    found: list[Plan] = []
    for method, many in sorted(Counter(calls).items()):
        times = min(many, 2) if method == "request: event" else many
        found += [Plan(method, point, nth) for nth in range(1, times + 1) for point in points_of(method)]
    return found


def untroubled(here: Replicas) -> tuple[Told, dict[str, list[str]]]:
    """What an untroubled telling leaves, and what each deed calls."""
    # In the first incident it also asks Slack who the people are.
    Teller(here).told(["open", "log"])
    teller = Teller(here)
    wanted = teller.told()
    return wanted, teller.calls


def attack(
    database_url: str,
    *,
    kills: int,
    seed: int,
    lives: Sequence[Life] = (Life(),),
    is_freezing: bool = False,
    only: int | None = None,
    said: Callable[[str], None] = lambda _: None,
) -> Score:
    """Tell stories until Lantern has died so often, or only the story of this number.

    What went wrong is said, with what repeats it: the plans of a story depend on the seed and its number alone.
    """
    score = Score("paused" if is_freezing else "killed")
    with replicas(database_url, lives, is_freezing=is_freezing) as here:
        wanted, calls = untroubled(here)
        course = Course(calls, random.Random(seed))
        for number in count(1):
            plans = course.next()
            if only is not None and number != only:
                continue
            teller = Teller(here, plans, seed=f"{seed}/{number}")
            try:
                found = teller.told()
                wrong = score.judge(found, wanted)
                for line in found.alone:
                    said(f"--story {number} --seed {seed}: to one person: {line}")
            except (AssertionError, LookupError, TimeoutError, Denied) as broken:
                wrong = score.broke_off(broken)
                here.settled()
            score.deaths += teller.deaths
            score.spared += len(teller.spared)
            if wrong:
                died = ", ".join(map(str, teller.deaths))
                said(f"--story {number} --seed {seed}: {score.deed} {died}: {wrong}")
            if number % 10 == 0:
                said(str(score))
            if number == only or score.killed >= kills:
                break
    score.never = never_met(course, score.deaths)
    return score


def never_met(course: Course, deaths: Iterable[Death]) -> list[str]:
    """Deed, method and point at which nobody died."""
    met = {(death.deed, death.method, death.point) for death in deaths}
    planned = {(deed, plan.method, plan.point) for deed, plans in course.ways.items() for plan in plans}
    return [f"{deed}: {point} {method}" for deed, method, point in sorted(planned - met)]
