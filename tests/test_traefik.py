"""Reading Traefik's own words: what its API, metrics and log say, and what is said when they do not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.balancers import traefik
from bot.balancers.answers import LOG
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause, Culprit
from bot.domain.pool import Policy, Pool, Standing
from bot.domain.verdict import judge
from tests.answering import Answering, paths

HOSTS = ("10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80")


def service(weights: Sequence[float] = (1, 1, 1, 1), name: str = "auth@file", **more: Any) -> dict[str, Any]:
    """A service as the API shows it."""
    servers = [
        {"url": f"http://{host}", "weight": weight} for host, weight in zip(HOSTS, weights, strict=False)
    ]
    return {
        "name": name,
        "usedBy": ["login@file"],
        "loadBalancer": {"servers": servers, "strategy": "wrr", **more},
    }


def line(host: str = HOSTS[0], status: int = 200, size: int = 11, milliseconds: int = 30, **more: Any) -> str:
    """A line of the log in JSON; without a host no server was asked."""
    found = {
        "DownstreamStatus": status,
        "Duration": milliseconds * 1_000_000,
        "OriginStatus": status if host else 0,
        "OriginContentSize": size,
        "OriginDuration": milliseconds * 1_000_000 if host else 0,
        "ClientHost": "192.0.2.7",
        "RequestPath": "/login?user=ana",
        "RouterName": "login@file",
        **({"ServiceAddr": host, "ServiceName": "auth@file"} if host else {}),
        **more,
    }
    return json.dumps(found)


def metrics(served: Mapping[str, int], routed: Mapping[str, int] | None = None, began: int = 1) -> str:
    """Counters by status."""
    lines = [f"process_start_time_seconds {began}"]
    for name, counts in (("service", served), ("router", served if routed is None else routed)):
        lines += [
            f'traefik_{name}_requests_total{{code="{code}",service="auth@file"}} {count}'
            for code, count in counts.items()
        ]
    return "\n".join(lines)


def pool(log: Sequence[str] | None, mine: Any = None, after: str = "", before: str = "", **more: Any) -> Pool:
    """The pool of a window."""
    texts = {traefik.SERVICES: json.dumps(mine or service()), traefik.METRICS: after}
    if log is not None:
        texts[LOG] = "\n".join(log)
    balancer = Balancer("traefik", "http://x", "auth", **more)
    return traefik.picture(Sample(0, {traefik.METRICS: before}), Sample(20, texts), balancer)


def even(count: int = 400, **more: Any) -> list[str]:
    return [line(HOSTS[at % 4], **more) for at in range(count)]


def test_a_look_reads_the_api_the_metrics_and_what_the_log_got_since(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text("\n".join(even(40)) + "\n")
    check = {"path": "/healthz", "headers": {"Authorization": "Bearer not-for-you"}}
    answers = {
        "/api/http/services": json.dumps([service(healthCheck=check)]),
        "/metrics": metrics({"200": 1000}),
    }
    with Answering(paths(answers)) as here:
        balancer = Balancer("traefik", here.address, "auth", log=f"file:{log}")
        first = traefik.look(balancer)
        with log.open("a") as more:
            more.write("\n".join([line(HOSTS[0])] * 300 + even(100)) + "\n")
        answers["/metrics"] = metrics({"200": 1400})
        last = traefik.look(balancer, first)
        seen = traefik.picture(first, last, balancer)
        assert {(one.method, one.path.partition("?")[0]) for one in here.asked} == {
            ("GET", "/api/http/services"),
            ("GET", "/metrics"),
        }
    assert [server.requests for server in seen.servers] == [325, 25, 25, 25]
    assert (seen.arrived, seen.check_asks) == (400, "GET /healthz")
    # Neither what the check sends nor a line of the log is kept.
    kept = json.dumps([first.texts, last.texts])
    assert "not-for-you" not in kept
    assert "192.0.2.7" not in kept
    assert "user=ana" not in kept


def test_the_common_format_is_read_too() -> None:
    line = '192.0.2.7 - - [22/Nov/2026:20:57:57 +0000] "POST /login HTTP/1.1" {} "-" "-" 101 "{}" "{}" {}ms'
    seen = pool(
        [line.format("200 11", "login@file", "http://10.0.0.1:80", 40)] * 9
        + [line.format("502 11", "login@file", "http://10.0.0.2:80", 0)] * 9
        + [line.format("503 20", "login@file", "-", 0)] * 2
        + [line.format("200 11", "other@file", "http://10.9.9.9:80", 40), "not a line"],
    )
    assert [(s.requests, s.unreached) for s in seen.servers] == [(9, 0), (9, 9), (0, 0), (0, 0)]
    assert seen.servers[0].latency == 40
    assert seen.own_errors == 11


@pytest.mark.parametrize(
    ("status", "size", "rest", "unreached", "errors", "unanswered"),
    [
        (502, 11, 0, 5, 0, 0),  # refused: nothing ever came of it
        (502, 11, 9, 0, 5, 0),  # broken off by a server that answers others
        (502, 150, 0, 0, 5, 0),  # an error page of the application's own
        (504, 15, 9, 0, 0, 5),  # Traefik would not wait
        (500, 21, 0, 0, 5, 0),
    ],
)
def test_whose_error_it_is_shows_by_its_size(
    status: int, size: int, rest: int, unreached: int, errors: int, unanswered: int
) -> None:
    seen = pool([line(status=status, size=size)] * 5 + [line()] * rest).servers[0]
    assert (seen.unreached, seen.errors, seen.unanswered) == (unreached, errors, unanswered)


def test_tries_that_a_retry_hides_are_found_in_the_counts() -> None:
    log = [line(HOSTS[at % 3]) for at in range(300)]
    told = judge(pool(log, after=metrics({"200": 300, "502": 100}, {"200": 300})))
    assert told.findings[0].cause is Cause.UNREACHABLE
    assert told.sentence.startswith("10.0.0.4:80 cannot be reached (100 of 100 tries failed)")


def test_without_a_log_weights_and_states_are_judged_and_the_split_is_not() -> None:
    counts = metrics({"200": 900, "503": 100})
    told = judge(pool(None, after=counts))
    assert told.sentence.startswith(
        "4 of 4 servers take traffic; 10 % of the requests are answered with 5xx; the split cannot be judged: Traefik "
    )
    assert "accessLog: {filePath: /var/log/traefik/access.log, format: json}" in told.sentence
    assert (told.is_judged, told.culprit, told.is_bad) == (False, None, False)
    told = judge(pool(None, service((20, 1, 1, 1)), after=counts))
    assert told.sentence.startswith(
        "The weights are 20/1/1/1, which sends 62 % of the requests to the wrong server; 4 of 4"
    )
    assert (told.findings[0].cause, told.culprit) == (Cause.WEIGHTS, Culprit.BALANCER)
    down = {**service(), "serverStatus": {f"http://{host}": "DOWN" for host in HOSTS[1:]}}
    told = judge(pool(None, down, after=counts))
    assert told.findings[0].cause is Cause.HEALTH_CHECK
    assert told.is_bad


def test_a_log_that_cannot_be_read_is_said_beside_the_states(tmp_path: Path) -> None:
    answers = {"/api/http/services": json.dumps([service()]), "/metrics": metrics({"200": 1000})}
    with Answering(paths(answers)) as here:
        balancer = Balancer("traefik", here.address, "auth", log=f"{tmp_path}/none.log")
        only = traefik.look(balancer)
        seen = traefik.picture(Sample(0, {}), only, balancer)
    assert "is not there" in judge(seen).sentence
    told = judge(pool(["10.0.0.1 some other format"] * 30, after=metrics({"200": 1000})))
    assert "no access log of Traefik" in told.sentence


def test_a_sticky_cookie_is_named_when_it_pins_and_left_alone_when_it_does_not() -> None:
    sticky = service(sticky={"cookie": {"name": "srv"}})
    pinned = [line(HOSTS[3], milliseconds=480) for _ in range(350)] + [line(HOSTS[3], 503)] * 50 + even(60)
    told = judge(pool(pinned, sticky))
    assert "the sticky cookie srv keeps clients at the server that they had first" in told.sentence
    assert [finding.cause for finding in told.findings] == [Cause.PINNED]
    assert judge(pool(even(), sticky)).findings == ()


@pytest.mark.parametrize(
    ("strategy", "policy"), [("wrr", Policy.EVEN), ("p2c", Policy.LEAST_BUSY), ("hrw", Policy.HASH)]
)
def test_how_it_chooses_is_told(strategy: str, policy: Policy) -> None:
    assert pool(even(), service(strategy=strategy)).policy is policy


def test_a_fenced_server_ends_and_a_down_one_is_down() -> None:
    mine = service()
    mine["loadBalancer"]["servers"][1]["fenced"] = True
    mine["serverStatus"] = {"http://10.0.0.3:80": "DOWN"}
    assert [s.standing for s in pool(even(), mine).servers] == [
        Standing.UP,
        Standing.DRAIN,
        Standing.DOWN,
        Standing.UP,
    ]


def test_a_restart_between_the_looks_is_noticed() -> None:
    assert pool(even(), after=metrics({"200": 1400}, began=2), before=metrics({"200": 1000})).is_restarted
    assert pool(even(), after=metrics({"200": 400}), before=metrics({"200": 1000})).is_restarted
    assert not pool(even(), after=metrics({"200": 1400}), before=metrics({"200": 1000})).is_restarted


def test_requests_that_no_router_wants_are_told() -> None:
    entered = "\n".join(
        f'traefik_entrypoint_requests_total{{code="{code}",entrypoint="web"}} {count}'
        for code, count in (("200", 400), ("404", 900))
    )
    told = judge(pool(even(), after=f"{metrics({'200': 400})}\n{entered}"))
    assert told.findings[0].cause is Cause.UNMATCHED
    assert told.sentence.startswith(
        "69 % of the requests fit nothing in the balancer's configuration, which answers"
    )


def test_a_service_split_over_services_is_compared_by_their_size() -> None:
    whole = {
        "name": "auth@file",
        "weighted": {
            "services": [
                {"name": "blue", "weight": 1},
                {"name": "green", "weight": 99},
                {"name": "next", "weight": 0},
            ]
        },
    }
    blue, green = service((1, 1, 1), "blue@file"), service((1,), "green@file")
    counted = "\n".join(
        f'traefik_service_requests_total{{code="{code}",service="{name}@file"}} {count}'
        for name, code, count in (("blue", "200", 10), ("green", "200", 690), ("green", "503", 300))
    )
    told = judge(pool(None, [whole, blue, green], after=counted))
    assert told.sentence == (
        "green gets 99 % of the requests, 25 % would be fair: its weights are 1/99. Compared were the services that it "
        "is split over, and fair is what their number of servers says."
    )


def test_a_service_that_is_not_there_is_named_with_those_that_are() -> None:
    answers = {"/api/http/services": json.dumps([service(name="api@docker")])}
    with Answering(paths(answers)) as here, pytest.raises(NoReading) as told:
        traefik.look(Balancer("traefik", here.address, "auth"))
    assert told.value.sentence == "Traefik has no service `auth`. It has: api@docker."
    with pytest.raises(NoReading, match="several services `auth`"):
        pool(even(), [service(), service(name="auth@docker")])
    with pytest.raises(NoReading, match="has no server at all"):
        pool(even(), [service(())])
    with pytest.raises(NoReading, match="no servers of its own"):
        pool(even(), [{"name": "auth@file", "type": "mirroring", "mirroring": {"service": "a"}}])


@pytest.mark.parametrize(
    "text", ["", "null", "[1]", '{"name": 5}', '[{"name": "auth@file", "loadBalancer": []}]', "[" * 100000]
)
def test_what_is_no_service_is_a_sentence(text: str) -> None:
    with pytest.raises(NoReading):
        traefik.picture(
            Sample(0, {}), Sample(9, {traefik.SERVICES: text}), Balancer("traefik", "http://x", "auth")
        )


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"DownstreamStatus": "x"}',
        '{"DownstreamStatus": 200, "ServiceAddr": 5, "OriginDuration": -1}',
        '{"DownstreamStatus": 200, "ServiceURL": {"Host": 3}}',
        "{" * 5000,
        '{"DownstreamStatus": true, "ServiceURL": null}',
    ],
)
def test_a_line_that_is_none_never_breaks_it(text: str) -> None:
    assert sum(server.requests for server in pool([text, line()]).servers) == 1
