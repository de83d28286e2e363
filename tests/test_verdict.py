"""What is said of a pool: the fact, the cause, and where to look."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bot.domain.findings import Cause, Culprit
from bot.domain.pool import Front, Policy, Pool, Standing, noise
from bot.domain.verdict import Verdict, judge
from tests.pools import by_chance, having, pool


def causes(verdict: Verdict) -> list[Cause]:
    return [finding.cause for finding in verdict.findings]


def bad_causes(verdict: Verdict) -> list[Cause]:
    return [finding.cause for finding in verdict.findings if finding.is_bad]


def test_an_even_pool_rules_the_balancer_out_firmly() -> None:
    verdict = judge(pool())
    assert verdict.sentence == (
        "Traffic is even over 4 of 4 servers (within 1 %) and nothing queues: the balancer is not the cause; "
        "look at the application."
    )
    assert (verdict.culprit, verdict.runbook_id, verdict.is_bad) == (Culprit.APPLICATION, "", False)


def skewed(**changes: object) -> Pool:
    """87 % at auth1, whose queue is full and which answers slowly."""
    heavy = pool((1316, 66, 65, 65), **changes)
    return having(heavy, "auth1", errors=184, latency=347.0)


def test_the_seed_is_named_with_its_weights() -> None:
    broken = skewed()
    for name, weight in (("auth1", 200.0), ("auth2", 10.0), ("auth3", 10.0), ("auth4", 10.0)):
        broken = having(broken, name, weight=weight, file_weight=weight)
    verdict = judge(broken)
    assert verdict.sentence == (
        "auth1 gets 87 % of the requests, 25 % would be fair: its weights are 200/10/10/10, as in the file."
    )
    assert (verdict.culprit, verdict.runbook_id) == (Culprit.BALANCER, "lb-uneven-traffic")
    # What follows from the split is not a finding of its own.
    assert causes(verdict) == [Cause.WEIGHTS]


def test_weights_set_at_run_time_are_told_from_those_of_the_file() -> None:
    broken = skewed()
    for name in ("auth2", "auth3", "auth4"):
        broken = having(broken, name, weight=5.0)
    assert judge(broken).sentence.endswith(
        "its weights are 100/5/5/5, set at run time; the file says 100/100/100/100."
    )


def test_weights_that_people_meant_are_no_fault() -> None:
    meant = pool((500, 500, 250, 250), intended={"auth1": 2, "auth2": 2, "auth3": 1, "auth4": 1})
    for name in ("auth3", "auth4"):
        meant = having(meant, name, weight=50.0, file_weight=50.0)
    assert judge(meant).findings == ()


def test_an_uneven_split_that_hurts_nobody_is_said_without_alarm() -> None:
    verdict = judge(having(pool((1200, 100, 100, 100)), "auth1", weight=200.0))
    assert verdict.sentence.endswith("nobody suffers from it yet.")
    assert not verdict.is_bad
    assert verdict.culprit is Culprit.BALANCER


@pytest.mark.parametrize(
    ("changes", "cause", "words"),
    [
        ({"bypass": 0.84}, Cause.PINNED, "84 % of the requests skip the balancing"),
        ({"policy": Policy.HASH, "algorithm": "source"}, Cause.HASH, "balance source puts most requests"),
        ({"policy": Policy.FIRST, "algorithm": "first"}, Cause.FIRST, "told to use the first server"),
        ({}, Cause.UNEVEN, "weights and states do not explain it"),
    ],
)
def test_the_split_has_its_reason_told(changes: dict[str, object], cause: Cause, words: str) -> None:
    verdict = judge(skewed(**changes))
    assert bad_causes(verdict) == [cause]
    assert words in verdict.sentence


def test_honest_stickiness_and_honest_hashing_are_left_in_peace() -> None:
    lumpy = (480, 400, 340, 380)
    assert judge(pool(lumpy, bypass=0.79)).findings == ()
    assert judge(pool((300, 380, 520, 400), policy=Policy.HASH, algorithm="source")).findings == ()


@pytest.mark.parametrize(
    ("standing", "cause", "words"),
    [
        (Standing.DRAIN, Cause.PARKED, "3 of 4 servers are in DRAIN (auth2, auth3, auth4; set at run time)"),
        (Standing.MAINT, Cause.PARKED, "3 of 4 servers are in MAINT (auth2, auth3, auth4; set at run time)"),
        (Standing.BACKUP, Cause.BACKUP, "3 of 4 servers are marked backup and get nothing"),
    ],
)
def test_servers_left_out_are_counted_and_named(standing: Standing, cause: Cause, words: str) -> None:
    broken = pool((1500, 0, 0, 0))
    for name in ("auth2", "auth3", "auth4"):
        broken = having(broken, name, standing=standing, is_set_at_run_time=True)
    verdict = judge(having(broken, "auth1", errors=400, latency=350.0))
    assert bad_causes(verdict) == [cause]
    assert words in verdict.sentence
    assert verdict.sentence.startswith("auth1 gets 100 % of the requests, 25 % would be fair")


def test_one_server_out_for_work_is_worth_a_word_and_no_alarm() -> None:
    verdict = judge(having(pool((500, 500, 0, 500)), "auth3", standing=Standing.DRAIN))
    assert verdict.sentence == (
        "1 of 4 servers is in DRAIN (auth3); traffic is even over 3 of 4 servers (within 1 %) and nothing queues: "
        "the balancer is not the cause."
    )
    assert verdict.culprit is Culprit.APPLICATION


def test_a_spare_is_a_spare() -> None:
    assert judge(having(pool((500, 500, 500, 0)), "auth4", standing=Standing.BACKUP)).findings == ()
    assert judge(having(pool((500, 0)), "auth2", standing=Standing.BACKUP)).findings == ()


@pytest.mark.parametrize(
    ("check", "culprit", "words"),
    [
        ("L7STS/404", Culprit.BALANCER, "its path is probably wrong"),
        ("L7STS/503", Culprit.APPLICATION, "the servers themselves answer the check with 503"),
        ("L4CON", Culprit.SERVERS, "nothing listens there"),
        ("L7TOUT", Culprit.SERVERS, "gets no answer in time"),
        ("L6RSP", Culprit.BALANCER, "TLS handshake with the server"),
        ("L7RSP", Culprit.BALANCER, "does not speak HTTP"),
        ("", Culprit.BALANCER, "does not say why"),
    ],
)
def test_servers_that_are_down_say_what_their_check_got(check: str, culprit: Culprit, words: str) -> None:
    broken = pool((0, 0, 0, 0), arrived=1500, own_errors=1500)
    for server in broken.servers:
        broken = having(broken, server.name, standing=Standing.DOWN, check=check)
    verdict = judge(broken)
    assert "4 of 4 servers are DOWN by health check" in verdict.sentence
    assert words in verdict.sentence
    assert verdict.culprit is culprit
    # That the balancer answers 503 itself follows from it.
    assert len(verdict.findings) == 1


def test_a_full_front_is_found_though_the_pool_looks_healthy() -> None:
    front = Front("the frontend fe_login", connections=1000, requests=1000, busy=4, busy_limit=4)
    verdict = judge(pool(fronts=(front,)))
    assert verdict.sentence == (
        "The frontend fe_login is full (4 of 4 connections); further clients wait outside."
    )
    slow = replace(front, busy=1, busy_limit=2000, rate=60.0, rate_limit=60.0)
    assert bad_causes(judge(pool(fronts=(slow,)))) == [Cause.RATE_LIMIT]


def test_an_expired_certificate_shows_as_connections_without_requests() -> None:
    front = Front("the frontend fe_login", connections=504, requests=0, failed_handshakes=504)
    verdict = judge(pool((0, 0, 0, 0), arrived=0, fronts=(front,)))
    assert bad_causes(verdict) == [Cause.HANDSHAKE]
    assert verdict.sentence.startswith("504 connections but 0 requests: clients give up in the TLS handshake")
    # Connections that browsers open and do not use are nothing.
    spare = replace(front, requests=400, failed_handshakes=None)
    assert judge(pool((100, 100, 100, 100), fronts=(spare,))).findings == ()


def test_a_server_that_fails_alone_is_named_and_what_it_attracts_is_said() -> None:
    assert judge(having(pool(), "auth4", errors=400, latency=4.0)).sentence == (
        "auth4 answers 100 % of its requests with 5xx (others 0 %): wrong address, or broken."
    )
    fast = having(
        pool((240, 970, 240, 240), policy=Policy.LEAST_BUSY, algorithm="leastconn"), "auth2", errors=970
    )
    verdict = judge(having(fast, "auth2", latency=2.0))
    assert verdict.sentence.startswith(
        "auth2 gets 57 % of the requests, 25 % would be fair: auth2 answers 100 %"
    )
    assert "so fast that leastconn prefers it" in verdict.sentence
    assert bad_causes(verdict) == [Cause.BAD_SERVER]


def test_a_server_that_cannot_be_reached_is_named_even_when_nobody_notices() -> None:
    verdict = judge(having(pool((504, 504, 504, 504)), "auth4", unreached=504, answers=0, has_check=False))
    assert (
        verdict.sentence == "auth4 cannot be reached (504 of 504 tries failed); no health check watches it."
    )


def test_a_slow_server_is_told_from_a_loaded_one() -> None:
    slow = having(pool(), "auth3", latency=652.0, errors=248)
    assert judge(slow).sentence == (
        "auth3 answers in 652 ms, the others in 30 ms, and 62 % of its requests fail."
    )
    least = having(
        pool((455, 453, 47, 456), policy=Policy.LEAST_BUSY, algorithm="leastconn"), "auth3", latency=397.0
    )
    verdict = judge(least)
    assert causes(verdict) == [Cause.SLOW_SERVER]
    assert not verdict.is_bad
    # On its way back to normal it is not accused.
    assert judge(having(pool(), "auth3", latency=224.0, latency_before=611.0)).findings == ()


def test_waiting_requests_are_the_limit_s_fault_or_the_servers() -> None:
    full = pool(queue=259, queue_before=27)
    for server in full.servers:
        full = having(full, server.name, busy=1, busy_limit=1)
    verdict = judge(full)
    assert verdict.sentence == (
        "259 requests wait in the balancer: 4 of 4 servers are at their limit of 1 at a time."
    )
    for server in full.servers:
        full = having(full, server.name, busy=200, busy_limit=200, latency=3200.0)
    verdict = judge(full)
    assert verdict.culprit is Culprit.APPLICATION
    assert verdict.sentence.endswith("an answer takes 3.2 s: look at the application.")


def test_a_time_out_that_is_too_short_is_told_from_servers_that_hang() -> None:
    def timed_out(longest: float) -> Pool:
        made = pool((236, 235, 235, 235), own_errors=411)
        for server in made.servers:
            made = having(made, server.name, unanswered=100, latency_most=longest)
        return made

    verdict = judge(timed_out(194.0))
    assert bad_causes(verdict) == [Cause.TIMEOUT]
    assert "its time-out is too short; no answer took longer than 194 ms" in verdict.sentence
    assert judge(timed_out(29_800.0)).culprit is Culprit.APPLICATION


def test_errors_of_every_server_alike_are_the_application_s() -> None:
    failing = pool()
    for server in failing.servers:
        failing = having(failing, server.name, errors=208)
    verdict = judge(failing)
    assert verdict.sentence == (
        "Traffic is even over 4 of 4 servers (within 1 %) and nothing queues: the balancer is not the cause; "
        "every server alike answers 52 % of the requests with 5xx: look at the application."
    )
    assert verdict.culprit is Culprit.APPLICATION


def test_an_address_that_nobody_intended_is_named() -> None:
    intended = {"auth1": 1, "auth2": 1, "auth3": 1, "auth4": 1}
    strange = pool(intended=intended)
    *known, last = strange.servers
    strange = replace(strange, servers=(*known, replace(last, name="10.0.0.9:8080", errors=400)))
    verdict = judge(strange)
    assert verdict.sentence.startswith("25 % of the requests go to 10.0.0.9:8080, which nobody intended")


def test_too_few_requests_are_not_judged_but_states_are_told() -> None:
    verdict = judge(pool((50, 3, 2, 2)))
    assert verdict.sentence == "Only 57 requests in the window: too few to judge the split; sample again."
    assert (verdict.is_judged, verdict.culprit, verdict.findings) == (False, None, ())
    parked = pool((57, 0, 0, 0))
    for name in ("auth2", "auth3", "auth4"):
        parked = having(parked, name, standing=Standing.DRAIN)
    assert judge(parked).sentence.startswith(
        "3 of 4 servers are in DRAIN (auth2, auth3, auth4); only 57 requests"
    )


def test_a_reload_between_the_samples_is_said_and_not_judged() -> None:
    verdict = judge(replace(skewed(), is_restarted=True))
    assert verdict.sentence == "The counters were reset by a reload while they were read; sample again."
    assert not verdict.is_judged


def test_healthy_pools_raise_no_alarm() -> None:
    """10,000 pools whose requests fall where chance puts them; at most 1 % may be called faulty."""
    chance = random.Random(4)
    alarms = looks = 0
    while looks < 10_000:
        servers, requests = chance.randint(2, 32), int(10 ** chance.uniform(2.302, 4.301))
        # Drawn as one normal variable a server: what a multinomial is at these counts, a hundred times as fast.
        drawn = [chance.gauss(requests / servers, (requests / servers) ** 0.5) for _ in range(servers)]
        spare = (requests - sum(drawn)) / servers
        got = [max(0, round(one + spare)) for one in drawn]
        rate = chance.choice((0.0, 0.0, 0.01, 0.1, 0.4))
        made = pool(got)
        failing = []
        for server in made.servers:
            by_rate = chance.gauss(server.requests * rate, (server.requests * rate * (1 - rate)) ** 0.5)
            failed = min(server.requests, max(0, round(by_rate)))
            failing.append(replace(server, errors=failed, latency=chance.uniform(20, 45)))
        made = replace(made, servers=tuple(failing))
        verdict = judge(made)
        alarms += any(finding.culprit is not Culprit.APPLICATION for finding in verdict.findings)
        looks += 1
    assert alarms <= 0.01 * looks, f"{alarms} false alarms in {looks} looks"


@pytest.mark.parametrize(("servers", "requests"), [(4, 400), (8, 1000), (32, 3000)])
def test_a_fault_a_little_above_the_noise_is_found(servers: int, requests: int) -> None:
    chance = random.Random(servers)
    found = 0
    for _ in range(50):
        # Half of the servers at a third of the weight: a quarter of the requests is at the wrong place.
        weights = [3.0 if at % 2 else 1.0 for at in range(servers)]
        made = pool(by_chance(servers, requests, chance, weights))
        for server, weight in zip(made.servers, weights, strict=True):
            made = having(made, server.name, weight=weight, file_weight=weight)
        found += Cause.WEIGHTS in causes(judge(made))
    assert found == 50
    assert noise(servers, requests) < 0.25
