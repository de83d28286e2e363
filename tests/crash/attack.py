"""Telling stories until Lantern has died often enough, at every point of every call."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tests.crash.fate import Plan, points_of
from tests.crash.replicas import Replicas, replicas
from tests.crash.score import Score, Told
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


def untroubled(here: Replicas, chance: random.Random) -> tuple[Told, dict[str, list[str]]]:
    """What an untroubled telling leaves, and what each deed calls."""
    # The first one also asks Slack who the people are.
    Teller(here, chance).told()
    teller = Teller(here, chance)
    wanted = teller.told()
    return wanted, teller.calls


def attack(
    database_url: str,
    *,
    kills: int,
    seed: int,
    lives: Sequence[Life] = (Life(),),
    is_freezing: bool = False,
    said: Callable[[str], None] = lambda _: None,
) -> Score:
    """Tell stories until Lantern has died so often. What went wrong is said with what repeats it."""
    score = Score()
    chance = random.Random(seed)
    with replicas(database_url, lives, chance, is_freezing=is_freezing) as here:
        wanted, calls = untroubled(here, chance)
        course = Course(calls, chance)
        while score.killed < kills:
            teller = Teller(here, chance, course.next())
            wrong = score.judge(teller.told(), wanted)
            score.deaths += teller.deaths
            score.spared += len(teller.spared)
            if wrong:
                said(
                    f"story {score.stories} (seed {seed}), died {[str(one) for one in teller.deaths]}: {wrong}"
                )
            if score.stories % 10 == 0:
                said(str(score))
    never = never_met(course, score)
    for line in never:
        said(line)
    return score


def never_met(course: Course, score: Score) -> list[str]:
    """Deed, method and point at which nobody died."""
    met = {(death.deed, death.method, death.point) for death in score.deaths}
    planned = {(deed, plan.method, plan.point) for deed, plans in course.ways.items() for plan in plans}
    return [f"never: {deed}: {point} {method}" for deed, method, point in sorted(planned - met)]
