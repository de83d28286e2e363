"""What a runbook expects of a reading, and what is said when it is not so."""

from __future__ import annotations

import pytest

from bot.domain.expectation import told
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
        ({"latency_ms": "< 200"}, False, "latency_ms cannot be read from this balancer"),
        ({"queue": "about 3"}, False, "`about 3` for queue is no condition"),
    ],
)
def test_expectations_are_compared(expect: dict[str, str], is_met: bool, words: str) -> None:
    found = told(FIGURES, expect)
    assert (found.is_met, words in found.words) == (is_met, True), found.words


def test_every_named_figure_can_be_read_from_a_pool_that_tells_all() -> None:
    assert set(named(pool(own_errors=0, bypass=0.1))) <= set(NAMED)
    missing = set(NAMED) - set(named(pool(own_errors=0, bypass=0.1)))
    assert missing == {"front_used", "handshakes_failed"}
