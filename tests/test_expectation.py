"""What a runbook expects of a reading, and what is said when it is not so."""

from __future__ import annotations

import pytest

from bot.domain.expectation import seconds, told
from bot.domain.figures import NAMED, named
from tests.pools import pool

FIGURES = {"off_target_share": 0.62, "queue": 3.0, "error_share": 0.004, "not_ready": 0.0}


@pytest.mark.parametrize(
    ("expect", "is_met", "words"),
    [
        ({}, True, "read"),
        ({"not_ready": "= 0"}, True, "as expected: not_ready 0 %"),
        ({"error_share": "< 0.01", "queue": "<= 3"}, True, "as expected: error_share under 1 %, queue 3"),
        ({"off_target_share": "< 0.10"}, False, "not as expected: off_target_share is 62 % (wanted < 0.10)"),
        ({"off_target_share": "< 10 %"}, False, "not as expected: off_target_share is 62 % (wanted < 10 %)"),
        ({"queue": ">= 4"}, False, "not as expected: queue is 3 (wanted >= 4)"),
        ({"queue": "> 3", "not_ready": "= 0"}, False, "not as expected: queue is 3 (wanted > 3)"),
        ({"queue": "about 3"}, False, "`about 3` for queue is no condition"),
    ],
)
def test_expectations_are_compared(expect: dict[str, str], is_met: bool, words: str) -> None:
    found = told(FIGURES, expect)
    assert (found.is_met, found.is_known, words in found.words) == (is_met, True, True), found.words


def test_a_figure_that_a_balancer_does_not_tell_is_said_and_judges_nothing() -> None:
    found = told(FIGURES, {"latency_ms": "< 200", "queue": "< 9"})
    assert (found.is_met, found.is_known) == (True, True)
    assert found.words == "as expected: queue 3; latency_ms cannot be read from this balancer"
    found = told(FIGURES, {"latency_ms": "< 200", "queue": "< 1"})
    assert (found.is_met, found.is_known) == (False, True)
    found = told(FIGURES, {"latency_ms": "< 200", "bypass_share": "= 0"})
    assert (found.is_met, found.is_known) == (False, False)
    assert found.words == "latency_ms, bypass_share cannot be read from this balancer"


@pytest.mark.parametrize(
    ("written", "window"),
    [("20s", 20.0), ("60 s", 60.0), ("5", 5.0), ("1 second", 1.0), ("0s", None), ("61s", None), ("1m", None)],
)
def test_a_window_is_seconds_from_1_to_60(written: str, window: float | None) -> None:
    assert seconds(written) == window


def test_every_named_figure_can_be_read_from_a_pool_that_tells_all() -> None:
    assert set(named(pool(own_errors=0, bypass=0.1))) <= set(NAMED)
    missing = set(NAMED) - set(named(pool(own_errors=0, bypass=0.1)))
    assert missing == {"front_used", "handshakes_failed"}
