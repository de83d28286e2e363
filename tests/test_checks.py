"""What the checks say of pools whose balancer tells less, or refuses by itself: logs, circuit breakers, ejections."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.domain.findings import Cause, Culprit
from bot.domain.pool import Front, Policy, Standing, with_absent
from bot.domain.verdict import judge
from tests.pools import having, pool


def without_weights(*requests: int, **changes: object):  # type: ignore[no-untyped-def]
    """A pool as a log shows it."""
    one = pool(requests, **changes)
    return replace(one, servers=tuple(replace(s, weight=None, file_weight=None) for s in one.servers))


@pytest.mark.parametrize(
    ("is_pinned", "cause", "words"),
    [
        (False, Cause.WEIGHTS, "no hash or stickiness does it: look at the weights"),
        (None, Cause.UNEVEN, "its weights are not known here"),
    ],
)
def test_an_uneven_split_without_weights_says_where_to_look(
    is_pinned: bool | None, cause: Cause, words: str
) -> None:
    told = judge(having(without_weights(870, 43, 43, 44, is_pinned=is_pinned), "auth1", errors=100))
    assert told.findings[0].cause is cause
    assert words in told.sentence


def test_a_hot_server_that_fails_alone_suffers_from_the_heat() -> None:
    """Of a hash half of the requests on one of four may be chance; that this one alone fails is none."""
    hot = having(pool((560, 150, 145, 145), policy=Policy.HASH, algorithm="source"), "auth1", errors=50)
    told = judge(hot)
    assert told.is_bad
    assert told.culprit is Culprit.BALANCER
    alike = pool((560, 150, 145, 145), policy=Policy.HASH, algorithm="source")
    for server in alike.servers:
        alike = having(alike, server.name, errors=server.requests // 10)
    assert judge(alike).culprit is Culprit.APPLICATION


def test_servers_put_out_while_all_fail_alike_are_no_fault_of_the_balancer() -> None:
    out = pool((0, 0, 400, 400))
    for name in ("auth1", "auth2"):
        out = having(out, name, standing=Standing.EJECTED)
    alone = judge(out)
    assert (alone.findings[0].cause, alone.culprit) == (Cause.BAD_SERVER, Culprit.SERVERS)
    for name in ("auth3", "auth4"):
        out = having(out, name, errors=200)
    told = judge(out)
    assert told.culprit is Culprit.APPLICATION
    assert "every server alike answers 50 % of the requests with 5xx" in told.sentence


def test_what_goes_to_a_stranger_is_not_said_again_as_an_uneven_split() -> None:
    wanted = dict.fromkeys(("auth1", "auth2", "auth3"), 1.0)
    told = judge(having(pool(intended=wanted), "auth4", errors=400))
    assert [finding.cause for finding in told.findings] == [Cause.STRANGER, Cause.BAD_SERVER]


@pytest.mark.parametrize(
    ("counts", "cause", "culprit"),
    [
        ({}, Cause.OWN_ERRORS, Culprit.BALANCER),
        ({"unreached": 3}, Cause.UNREACHABLE, Culprit.SERVERS),
        ({"unanswered": 3, "latency_most": 200.0}, Cause.TIMEOUT, Culprit.BALANCER),
        ({"unanswered": 3, "latency_most": 60000.0}, Cause.APPLICATION, Culprit.APPLICATION),
        ({"errors": 3}, Cause.APPLICATION, Culprit.APPLICATION),
    ],
)
def test_why_every_server_is_taken_for_failed_is_told_by_how_they_failed(
    counts: dict[str, float], cause: Cause, culprit: Culprit
) -> None:
    out = pool((3, 3, 3, 3), arrived=900, own_errors=888, unserved=888)
    out = replace(out, servers=tuple(replace(server, **counts) for server in out.servers))
    told = judge(out)
    assert (told.findings[0].cause, told.culprit) == (cause, culprit)
    assert len([finding for finding in told.findings if finding.is_bad]) == 1


def test_a_limit_on_the_rate_is_told() -> None:
    told = judge(pool(fronts=(Front("the balancer", limited=400),)))
    assert told.findings[0].cause is Cause.RATE_LIMIT
    assert told.sentence.startswith("The balancer turns away 20 % of the requests")
    assert judge(pool(fronts=(Front("the balancer", limited=4),))).findings == ()


def test_traffic_of_others_is_no_reason_to_judge_a_pool_that_hardly_got_any() -> None:
    busy = (Front("the balancer", connections=5000, requests=9000),)
    assert not judge(pool((3, 1, 0, 0), fronts=busy)).is_judged
    silent = (Front("the balancer", connections=500, requests=2),)
    assert judge(pool((0, 0, 0, 0), fronts=silent)).findings[0].cause is Cause.HANDSHAKE


def test_only_a_reading_that_shows_everybody_calls_a_server_absent_at_once() -> None:
    servers, wanted = pool((3, 1)).servers, {"auth1": 1.0, "auth2": 1.0, "auth3": 1.0}
    assert with_absent(servers, wanted)[2].standing is Standing.ABSENT
    assert with_absent(servers, wanted, seen=4)[2].standing is Standing.UP
    assert with_absent(servers, wanted, seen=30)[2].standing is Standing.ABSENT


def test_a_note_of_the_reading_stands_behind_the_sentence() -> None:
    told = judge(pool(note="The log was rotated meanwhile: only what came after is counted."))
    assert told.sentence.endswith(
        "look at the application. The log was rotated meanwhile: only what came after is counted."
    )
