"""What a balancer does not tell is said and not guessed; and what chance does with few lines of a log is no fault."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot.balancers.answers import Answer, Told, count
from bot.balancers.tally import Tally
from bot.domain.findings import Cause, Culprit
from bot.domain.pool import Pool, Server
from bot.domain.verdict import judge
from tests.pools import having, pool


def untold(weights: tuple[float, ...] = (1, 1, 1, 1), **more: object) -> Pool:
    """Four servers of which only states and weights are known, and a total."""
    servers = tuple(Server(f"auth{at}", 0, weight=weight) for at, weight in enumerate(weights, 1))
    return pool(
        (0, 0, 0, 0), servers=servers, arrived=1000, own_errors=None, split_untold="nobody counts it", **more
    )


def test_an_untold_split_is_neither_even_nor_uneven() -> None:
    told = judge(untold(errors=0))
    assert told.sentence == "4 of 4 servers take traffic; the split cannot be judged: nobody counts it."
    assert (told.findings, told.culprit, told.is_judged) == ((), None, False)
    assert "30 % of the requests are answered with 5xx; the split" in judge(untold(errors=300)).sentence


def test_weights_alone_are_blamed_only_when_somebody_suffers() -> None:
    calm, harmed = judge(untold((20, 1, 1, 1), errors=0)), judge(untold((20, 1, 1, 1), errors=130))
    assert [(f.cause, f.is_bad) for f in calm.findings] == [(Cause.WEIGHTS, False)]
    assert [(f.cause, f.is_bad) for f in harmed.findings] == [(Cause.WEIGHTS, True)]
    assert harmed.culprit is Culprit.BALANCER


def test_too_few_requests_stay_too_few() -> None:
    few = replace(untold(errors=0), arrived=57)
    assert judge(few).sentence.startswith("Only 57 requests in the window")


def test_where_all_fail_alike_the_split_is_not_why() -> None:
    canary = pool((960, 20, 20, 600))
    for server in canary.servers:
        canary = having(canary, server.name, weight=float(server.requests), errors=server.requests // 3)
    told = judge(canary)
    assert told.culprit is Culprit.APPLICATION
    assert "every server alike answers 33 % of the requests with 5xx: look at the application; besides," in (
        told.sentence
    )
    # The one that gets too much fails alone: that is the split's doing.
    alone = canary
    for name in ("auth2", "auth3", "auth4"):
        alone = having(alone, name, errors=0)
    assert judge(alone).culprit is Culprit.BALANCER


def test_requests_that_fit_nothing_are_told_from_scanners() -> None:
    scanned = replace(pool(), unmatched=250, unmatched_with="404")
    assert [f.is_bad for f in judge(scanned).findings] == [False]
    assert judge(replace(pool(), unmatched=100, unmatched_with="404")).findings == ()
    assert judge(replace(pool(), unmatched=2000, unmatched_with="404")).findings[0].cause is Cause.UNMATCHED
    assert judge(pool((0, 0, 0, 0), arrived=0, unmatched=900, unmatched_with="200")).is_bad


def test_a_mean_of_few_answers_strays() -> None:
    strays = having(pool((10, 10, 10, 400)), "auth1", latency=120.0)
    assert Cause.SLOW_SERVER not in [f.cause for f in judge(strays).findings]
    assert Cause.SLOW_SERVER in [f.cause for f in judge(having(pool(), "auth1", latency=120.0)).findings]


def _healthy(answer: Answer, chance: random.Random) -> Answer:
    return answer


def _failing(answer: Answer, chance: random.Random) -> Answer:
    return replace(answer, status=500, seconds=answer.seconds / 3) if chance.random() < 0.3 else answer


def _breaking(answer: Answer, chance: random.Random) -> Answer:
    return replace(answer, status=502, is_own=True) if chance.random() < 0.8 else answer


@pytest.mark.parametrize("happens", [_healthy, _failing, _breaking])
def test_a_log_s_few_lines_accuse_nobody_by_chance(
    happens: Callable[[Answer, random.Random], Answer],
) -> None:
    """Logs of 60 to 400 lines, 2 to 16 servers, times that stray far: at most one in a hundred may be called faulty."""
    chance, wrong, looks = random.Random(11), [], 300
    for _ in range(looks):
        hosts = [f"10.0.0.{at}:80" for at in range(chance.randint(2, 16))]
        tally, usual, spread = Tally(), chance.uniform(0.005, 0.4), chance.uniform(0.1, 1.0)
        lines = chance.choice((60, 120, 400))
        count(
            tally,
            [
                happens(
                    Answer(chance.choice(hosts), 200, usual * chance.lognormvariate(0, spread), False), chance
                )
                for _ in range(lines)
            ],
        )
        by_log = Told(tally)
        servers = tuple(replace(by_log.server(host, host), weight=1.0) for host in hosts)
        told = judge(Pool("caddy", "auth", servers, 20.0, arrived=1300, own_errors=0))
        wrong += [
            told.sentence for f in told.findings[:1] if f.is_bad and f.culprit is not Culprit.APPLICATION
        ]
    assert len(wrong) <= 0.01 * looks, wrong
