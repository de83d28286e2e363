"""Reading a balancer's figures out of Prometheus: fixed queries, and growth from scrape to scrape."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pytest

from bot.balancers import prometheus
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause
from bot.domain.pool import Pool, Standing
from bot.domain.verdict import judge
from tests.answering import Answering, Asked

#: Unix seconds of four scrapes.
SCRAPES = (1000.0, 1015.0, 1030.0, 1045.0)

Figure = tuple[str, Mapping[str, str]]


def answer(
    kind: str, series: Sequence[tuple[Figure, Sequence[float]]], times: Sequence[float] = SCRAPES
) -> str:
    """An answer of the API: of a matrix all values, of a vector the last."""
    result = []
    for (name, labels), values in series:
        points = [[at, str(value)] for at, value in zip(times, values, strict=False)]
        metric = {"__name__": name, "instance": "lb1", "job": "lb", **labels}
        result.append(
            {"metric": metric, **({"values": points} if kind == "matrix" else {"value": points[-1]})}
        )
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


def haproxy(server: str, name: str = "sessions_total", **labels: str) -> Figure:
    return f"haproxy_server_{name}", {"proxy": "be_auth", "server": server, **labels}


def pool(
    counters: Sequence[tuple[Figure, Sequence[float]]],
    gauges: Sequence[tuple[Figure, float]] = (),
    since: float | None = None,
    backend: str = "be_auth",
) -> Pool:
    """The pool by those series; `since` is the newest scrape of the first look."""
    texts = {prometheus.COUNTERS: answer("matrix", counters)}
    if gauges:
        texts[prometheus.GAUGES] = answer("vector", [(figure, [value]) for figure, value in gauges])
    before = (
        {} if since is None else {prometheus.COUNTERS: answer("matrix", [(haproxy("auth1"), [0])], [since])}
    )
    return prometheus.picture(
        Sample(0, before), Sample(20, texts), Balancer("prometheus", "http://x", backend)
    )


SPLIT = ((200.0, 130), (10.0, 6), (10.0, 6), (10.0, 6))


def seed(backend: str = "be_auth") -> list[tuple[Figure, list[float]]]:
    """Four servers that got 87/4/4/4 between the scrapes, in 15 s each."""
    found = []
    for at, (_, rate) in enumerate(SPLIT, 1):
        name, labels = haproxy(f"auth{at}")
        found.append(((name, {**labels, "proxy": backend}), [5000.0 + 15 * rate * n for n in range(4)]))
    return found


def weights() -> list[tuple[Figure, float]]:
    return [(haproxy(f"auth{at}", "weight"), weight) for at, (weight, _) in enumerate(SPLIT, 1)]


def test_the_seed_is_seen_from_scrape_to_scrape() -> None:
    failed = (haproxy("auth1", "http_responses_total", code="5xx"), [0.0, 100.0, 200.0, 300.0])
    seen = pool([*seed(), failed], weights(), since=1015.0)
    assert (seen.window, seen.total) == (30, 2 * 15 * 148)
    told = judge(seen)
    assert told.sentence == (
        "auth1 gets 88 % of the requests, 25 % would be fair: its weights are 200/10/10/10."
    )
    assert told.findings[0].cause is Cause.WEIGHTS


def test_a_look_without_a_newer_scrape_has_seen_nothing_yet() -> None:
    assert judge(pool(seed(), weights(), since=1045.0)).sentence.startswith("Only 0 requests in the window")


def test_a_counter_that_began_anew_is_noticed_and_a_new_one_counts_from_nothing() -> None:
    again = (haproxy("auth2"), [5000.0, 5090.0, 40.0, 130.0])
    assert pool([seed()[0], again], since=1000.0).is_restarted
    assert not pool([seed()[0], again], since=1030.0).is_restarted
    # The first 5xx makes the series.
    texts = json.loads(answer("matrix", seed()))
    texts["data"]["result"].append(
        {
            "metric": {
                "__name__": haproxy("auth1", "http_responses_total")[0],
                "instance": "lb1",
                "job": "lb",
            }
            | {"proxy": "be_auth", "server": "auth1", "code": "5xx"},
            "values": [[1030.0, "7"], [1045.0, "9"]],
        }
    )
    sample = Sample(20, {prometheus.COUNTERS: json.dumps(texts)})
    first = Sample(0, {prometheus.COUNTERS: answer("matrix", seed()[:1], SCRAPES[:2])})
    seen = prometheus.picture(first, sample, Balancer("prometheus", "http://x", "be_auth"))
    assert (seen.servers[0].errors, seen.is_restarted) == (9, False)


def test_several_balancers_before_one_pool_are_added_up() -> None:
    other = [((name, {**labels, "instance": "lb2"}), values) for (name, labels), values in seed()]
    assert pool([*seed(), *other], since=1000.0).servers[0].requests == 2 * 3 * 15 * 130


def test_states_and_checks_of_haproxy_are_read() -> None:
    gauges = [
        (haproxy("auth1", "status", state="UP"), 1.0),
        (haproxy("auth2", "status", state="UP"), 0.0),
        (haproxy("auth2", "status", state="DOWN"), 1.0),
        (haproxy("auth2", "check_status", state="L7STS"), 1.0),
        (haproxy("auth2", "check_status", state="L7OK"), 0.0),
        (haproxy("auth2", "check_code"), 404.0),
        (haproxy("auth3", "status", state="DRAIN"), 1.0),
        # The exporter that came before states had a label.
        (haproxy("auth4", "status"), 2.0),
    ]
    seen = {server.name: server for server in pool(seed(), gauges).servers}
    assert [seen[f"auth{at}"].standing for at in range(1, 5)] == [
        Standing.UP,
        Standing.DOWN,
        Standing.DRAIN,
        Standing.MAINT,
    ]
    assert seen["auth2"].check == "L7STS/404"


def test_what_the_balancer_wrote_and_what_skipped_the_balancing_are_told() -> None:
    of_pool = {"proxy": "be_auth"}
    counters = [
        *seed(),
        (("haproxy_backend_sessions_total", of_pool), [0.0, 2220.0]),
        (("haproxy_backend_loadbalanced_total", of_pool), [0.0, 355.0]),
        (("haproxy_backend_http_responses_total", {**of_pool, "code": "5xx"}), [0.0, 400.0]),
    ]
    texts = {prometheus.COUNTERS: answer("matrix", counters, SCRAPES[:2])}
    seen = prometheus.picture(Sample(0, {}), Sample(15, texts), Balancer("prometheus", "http://x", "be_auth"))
    assert (seen.arrived, seen.own_errors) == (2220, 400)
    assert seen.bypass == pytest.approx(0.84, abs=0.005)


def envoy(host: str, name: str) -> Figure:
    return f"envoy_cluster_endpoint_{name}", {"envoy_cluster_name": "auth", "envoy_endpoint_address": host}


def plus(host: str, name: str, **labels: str) -> Figure:
    return f"nginxplus_upstream_server_{name}", {"upstream": "auth", "server": host, **labels}


def vts(host: str, code: str) -> Figure:
    return "nginx_vts_upstream_requests_total", {"upstream": "auth", "backend": host, "code": code}


@pytest.mark.parametrize(
    ("counters", "requests", "errors", "unreached"),
    [
        (
            [
                (envoy("a:1", "rq_total"), [0.0, 300.0]),
                (envoy("b:1", "rq_total"), [0.0, 0.0]),
                (envoy("b:1", "cx_connect_fail"), [0.0, 300.0]),
                (envoy("b:1", "rq_error"), [0.0, 300.0]),
                (envoy("a:1", "rq_error"), [0.0, 7.0]),
            ],
            [300, 300],
            [7, 0],
            [0, 300],
        ),
        (
            [
                (plus("a:1", "requests"), [0.0, 300.0]),
                (plus("a:1", "responses", code="2xx"), [0.0, 290.0]),
                (plus("a:1", "responses", code="5xx"), [0.0, 10.0]),
                (plus("b:1", "requests"), [0.0, 300.0]),
                (plus("b:1", "fails"), [0.0, 300.0]),
            ],
            [300, 300],
            [10, 0],
            [0, 300],
        ),
        (
            [
                (vts("a:1", "total"), [0.0, 300.0]),
                (vts("a:1", "5xx"), [0.0, 10.0]),
                (vts("b:1", "total"), [0.0, 30.0]),
            ],
            [300, 30],
            [10, 0],
            [0, 0],
        ),
    ],
)
def test_other_exporters_are_read(
    counters: list[tuple[Figure, list[float]]], requests: list[int], errors: list[int], unreached: list[int]
) -> None:
    servers = pool(counters, since=1000.0, backend="auth").servers
    assert [server.requests for server in servers] == requests
    assert [server.errors for server in servers] == errors
    assert [server.unreached for server in servers] == unreached


def test_totals_without_servers_are_told_what_to_do() -> None:
    total = [(("envoy_cluster_upstream_rq_total", {"envoy_cluster_name": "auth"}), 100.0)]
    with pytest.raises(NoReading, match="per_endpoint_stats: true"):
        pool([], total, backend="auth")
    service = {"service": "auth@file"}
    up = (("traefik_service_server_up", {**service, "url": "http://10.0.0.1:80"}), 1.0)
    counted = (("traefik_service_requests_total", {**service, "code": "500"}), [0.0, 900.0])
    told = judge(pool([counted], [up], since=1000.0, backend="auth@file"))
    assert "1 of 1 servers take traffic; 100 % of the requests are answered with 5xx" in told.sentence


def test_a_look_asks_two_fixed_questions_by_get_and_puts_the_name_in_as_a_text() -> None:
    name = 'be"} or up{x="\\'

    def said(came: Asked) -> tuple[int, str]:
        is_matrix = "[300s]" in came.path
        return 200, answer("matrix" if is_matrix else "vector", seed(name))

    with Answering(said) as here:
        prometheus.look(Balancer("prometheus", f"{here.address}/prometheus", name))
        first, second = here.asked
    assert {first.method, second.method} == {"GET"}
    assert first.path.startswith("/prometheus/api/v1/query?query={__name__=~")
    # Quotes and backslashes of the name stay within its string.
    assert ',proxy="be\\"} or up{x=\\"\\\\"}' in first.path
    assert second.path.endswith(',proxy="be\\"} or up{x=\\"\\\\"}[300s]')


def test_a_pool_that_is_not_there_is_named_with_those_that_are() -> None:
    def said(came: Asked) -> tuple[int, str]:
        if "count by" not in came.path:
            return 200, answer("vector", [])
        found = [
            {"metric": {"proxy": "be_login"}, "value": [1, "4"]},
            {"metric": {"upstream": "api"}, "value": [1, "2"]},
        ]
        return 200, json.dumps({"status": "success", "data": {"resultType": "vector", "result": found}})

    with Answering(said) as here, pytest.raises(NoReading) as told:
        prometheus.look(Balancer("prometheus", here.address, "be_auth"))
    assert told.value.sentence.endswith("Envoy and Traefik it has: be_login, api.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"status": "error", "error": "bad"}',
        '{"status": "success", "data": {"result": [{"metric": {}}]}}',
        '{"status": "success", "data": {"result": [{"metric": 5, "value": [1, "2"]}]}}',
        "[" * 100000,
    ],
)
def test_what_is_no_answer_is_a_sentence(text: str) -> None:
    with pytest.raises(NoReading):
        prometheus.picture(
            Sample(0, {}), Sample(9, {prometheus.COUNTERS: text}), Balancer("prometheus", "http://x", "a")
        )
