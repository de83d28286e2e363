"""Where in a call the caller dies. One fate is shared by every way to Slack and back, so one death is one death."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import StrEnum


class Point(StrEnum):
    """Where in a call, or in a request of Slack's, Lantern dies."""

    BEFORE = "before it"
    #: While Lantern works on Slack's request, likely about its commit.
    DURING = "while it works"
    #: It happened, and the answer does not arrive.
    EFFECT = "after its effect"
    ANSWER = "after its answer"
    #: What Slack answered is in the database.
    COMMIT = "after the commit"


#: The points of a call to Slack, and those of a request of Slack's to Lantern.
OF_CALLS = (Point.BEFORE, Point.EFFECT, Point.ANSWER, Point.COMMIT)
OF_REQUESTS = (Point.BEFORE, Point.DURING, Point.EFFECT, Point.ANSWER)


@dataclass(frozen=True)
class Plan:
    """Die at this point of the n-th call of this method from now on; "" is any call of Lantern's to Slack."""

    method: str
    point: Point
    nth: int = 1

    @property
    def is_of_request(self) -> bool:
        return self.method.startswith("request")


def points_of(method: str) -> tuple[Point, ...]:
    """Where one can die in a call of this method."""
    return OF_REQUESTS if method.startswith("request") else OF_CALLS


class Fate:
    """Holds the plan, and tells the call that it was made for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plan: Plan | None = None
        self._left = 0
        self._calls: list[str] = []

    def plan(self, plan: Plan | None) -> None:
        """What is to happen; None for nothing any more."""
        with self._lock:
            self._plan = plan
            self._left = plan.nth if plan is not None else 0

    def calls(self) -> list[str]:
        """The methods called since this was last asked, in order."""
        with self._lock:
            calls, self._calls = self._calls, []
            return calls

    def meets(self, method: str) -> Point | None:
        """A call begins. Gives where in it the caller is to die."""
        with self._lock:
            self._calls.append(method)
            plan = self._plan
            if plan is None or plan.method not in (method, "") or (not plan.method and _is_request(method)):
                return None
            self._left -= 1
            if self._left > 0:
                return None
            self._plan = None
            return plan.point


def _is_request(method: str) -> bool:
    return method.startswith("request")
