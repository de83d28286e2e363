"""Pace: calls stay under Slack's limits, and whoever waits keeps his place."""

from __future__ import annotations

import pytest

from bot.domain.pace import SLACK_LIMITS, TIER_2, TIER_3, TIER_4, Limit, Pace


class Ticks:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("limit", "a_minute"), [(TIER_2, 20), (TIER_3, 50), (TIER_4, 100)])
def test_no_minute_holds_more_calls_than_the_tier_allows(limit: Limit, a_minute: int) -> None:
    ticks = Ticks()
    pace = Pace(ticks, {"m": limit}, {})
    calls: list[float] = []
    for n in range(3 * a_minute):
        while (wait := pace.wait_for("m", "", n)) > 0:
            ticks.now += wait
        calls.append(ticks.now)
    for first in calls:
        assert sum(first <= at < first + 60 for at in calls) <= a_minute


def test_a_burst_goes_at_once_and_the_rest_line_up_one_behind_the_other() -> None:
    ticks = Ticks()
    pace = Pace(ticks, {"m": Limit(per_minute=60, burst=2)}, {})
    assert [pace.wait_for("m", "", n) for n in range(5)] == [0, 0, 1, 2, 3]
    ticks.now += 2
    assert pace.wait_for("m", "", 4) == 1
    assert pace.wait_for("m", "", 3) == 0
    assert pace.wait_for("m", "", 2) == 0


def test_a_channel_waits_for_itself_and_not_for_another() -> None:
    pace = Pace(Ticks(), {}, {"chat.postMessage": Limit(per_minute=60, burst=1)})
    assert pace.wait_for("chat.postMessage", "C1", 1) == 0
    assert pace.wait_for("chat.postMessage", "C1", 2) == 1
    assert pace.wait_for("chat.postMessage", "C2", 3) == 0


def test_a_method_without_a_limit_never_waits() -> None:
    pace = Pace(Ticks())
    assert "auth.test" not in SLACK_LIMITS
    assert {pace.wait_for("auth.test", "", n) for n in range(500)} == {0}
