"""Reading Envoy's admin address: what a host's figures mean, and that nothing is asked but three paths, by GET."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from bot.balancers import envoy
from bot.balancers.envoy_answers import clusters_of, stats_of
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause
from bot.domain.pool import Policy, Pool, Standing
from bot.domain.verdict import judge


def host(
    port: int, *, health: dict[str, Any] | None = None, weight: int = 1, priority: int = 0, **counts: int
) -> Any:
    """One host as /clusters?format=json has it: numbers are text, and 0 is left out."""
    stats = [{"name": name, **({"value": str(count)} if count else {})} for name, count in counts.items()]
    return {
        "address": {"socket_address": {"address": "10.0.0.1", "port_value": port}},
        "stats": stats,
        "health_status": {"eds_health_status": "HEALTHY", **(health or {})},
        "weight": weight,
        **({"priority": priority} if priority else {}),
    }


def clusters(*hosts: Any, limit: int = 1024) -> str:
    found = {
        "name": "auth",
        "host_statuses": list(hosts),
        "circuit_breakers": {
            "thresholds": [{"max_connections": limit}, {"priority": "HIGH", "max_connections": 1}]
        },
    }
    return json.dumps({"cluster_statuses": [found]})


def stats(**counts: int) -> str:
    return json.dumps(
        {"stats": [{"name": f"cluster.auth.{name}", "value": count} for name, count in counts.items()]}
    )


def pool(before: dict[str, str], after: dict[str, str], **changes: Any) -> Pool:
    balancer = Balancer("envoy", "http://x", "auth", **changes)
    return envoy.picture(Sample(0.0, before), Sample(20.0, after), balancer)


def even(**counts: int) -> tuple[dict[str, str], dict[str, str]]:
    """Two looks at four hosts that did these things in between."""
    before = clusters(*(host(at, rq_total=1000, rq_success=1000) for at in (1, 2, 3, 4)))
    grown = {"rq_total": 1100, "rq_success": 1100, **counts}
    return {envoy.CLUSTERS: before}, {envoy.CLUSTERS: clusters(*(host(at, **grown) for at in (1, 2, 3, 4)))}


@pytest.mark.parametrize(
    ("health", "standing"),
    [
        ({}, Standing.UP),
        ({"failed_active_health_check": True}, Standing.DOWN),
        ({"eds_health_status": "UNHEALTHY"}, Standing.DOWN),
        ({"failed_outlier_check": True}, Standing.EJECTED),
        ({"eds_health_status": "DRAINING"}, Standing.DRAIN),
        ({"failed_active_degraded_check": True}, Standing.BACKUP),
        ({"failed_active_health_check": "true"}, Standing.UP),
    ],
)
def test_every_health_has_its_standing(health: dict[str, Any], standing: Standing) -> None:
    one = {envoy.CLUSTERS: clusters(host(1, health=health), host(2))}
    assert pool(one, one).servers[0].standing is standing


def test_a_host_of_a_lower_priority_is_a_spare() -> None:
    one = {envoy.CLUSTERS: clusters(host(1), host(2, priority=1))}
    assert [server.standing for server in pool(one, one).servers] == [Standing.UP, Standing.BACKUP]


def test_errors_that_envoy_wrote_are_not_the_host_s() -> None:
    before, after = even(rq_success=1060, rq_error=40, rq_timeout=30)
    server = pool(before, after).servers[0]
    assert (server.requests, server.errors, server.unanswered, server.answers) == (100, 10, 30, 70)
    before, after = even(rq_total=1000, rq_success=1000, rq_error=90, cx_connect_fail=90)
    server = pool(before, after).servers[0]
    assert (server.requests, server.errors, server.unreached) == (90, 0, 90)


def test_what_is_tried_again_with_success_reached_nobody_as_an_error() -> None:
    before, after = even(rq_error=10, cx_connect_fail=10)
    first, second = (
        {envoy.STATS: stats(upstream_rq_retry_success=5)},
        {envoy.STATS: stats(upstream_rq_retry_success=45)},
    )
    assert pool({**before, **first}, {**after, **second}).own_errors == 0
    assert pool(before, after).own_errors == 40


def test_a_host_that_came_between_the_looks_is_no_cold_server() -> None:
    before = {envoy.CLUSTERS: clusters(*(host(at, rq_total=500) for at in (1, 2, 3)))}
    after = {envoy.CLUSTERS: clusters(*(host(at, rq_total=600) for at in (1, 2, 3)), host(4, rq_total=3))}
    seen = pool(before, after)
    assert [server.requests for server in seen.servers] == [100, 100, 100, 3]
    assert seen.servers[3].is_warming
    assert judge(seen).findings == ()


def test_a_host_put_in_again_is_counted_from_nothing_and_a_restart_is_noticed() -> None:
    before, _ = even()
    counts = [1100, 1100, 1100, 40]
    texts = {envoy.CLUSTERS: clusters(*(host(at, rq_total=count) for at, count in enumerate(counts, 1)))}
    old = {**texts, envoy.SERVER: '{"uptime_current_epoch": "86400s"}'}
    assert [server.requests for server in pool(before, old).servers] == [100, 100, 100, 40]
    assert pool(before, {**texts, envoy.SERVER: '{"uptime_current_epoch": "5s"}'}).is_restarted
    # Without /server_info a counter that fell is all there is.
    assert pool(before, texts).is_restarted


@pytest.mark.parametrize(
    ("failure", "unheard", "check"), [(8, 0, "L7STS"), (8, 8, "L4CON"), (0, 0, ""), (8, 3, "L7STS")]
)
def test_why_a_check_fails_is_told_as_far_as_envoy_knows(failure: int, unheard: int, check: str) -> None:
    said = {"health_check.failure": failure, "health_check.network_failure": unheard}
    one = clusters(host(1, health={"failed_active_health_check": True}), host(2))
    seen = pool({envoy.CLUSTERS: one}, {envoy.CLUSTERS: one, envoy.STATS: stats(**said)})
    assert seen.servers[0].check == check


def test_hosts_that_are_down_and_get_their_part_show_a_panic_even_without_stats() -> None:
    down = {"failed_active_health_check": True}
    before = {
        envoy.CLUSTERS: clusters(
            host(1, rq_total=5), *(host(at, health=down, rq_total=5) for at in (2, 3, 4))
        )
    }
    after = {
        envoy.CLUSTERS: clusters(
            host(1, rq_total=105), *(host(at, health=down, rq_total=105) for at in (2, 3, 4))
        )
    }
    seen = pool(before, after)
    assert seen.is_panicking
    assert not judge(seen).is_bad
    calm = {
        envoy.CLUSTERS: clusters(
            host(1, rq_total=405), *(host(at, health=down, rq_total=5) for at in (2, 3, 4))
        )
    }
    assert not pool(before, calm).is_panicking
    assert judge(pool(before, calm)).is_bad


def test_a_circuit_breaker_that_is_reached_is_told_with_and_without_stats() -> None:
    before, after = even()
    counted = pool(
        {**before, envoy.STATS: stats(upstream_rq_pending_overflow=10)},
        {**after, envoy.STATS: stats(upstream_rq_pending_overflow=310)},
    )
    assert counted.overflowed == 300
    assert judge(counted).findings[0].cause is Cause.OVERFLOW
    full = [host(at, rq_total=1100, cx_active=2, rq_active=2) for at in (1, 2, 3, 4)]
    seen = judge(pool(before, {envoy.CLUSTERS: clusters(*full, limit=8)}))
    assert seen.findings[0].cause is Cause.FRONT_FULL
    idle = [host(at, rq_total=1100, cx_active=2, rq_active=0) for at in (1, 2, 3, 4)]
    assert judge(pool(before, {envoy.CLUSTERS: clusters(*idle, limit=8)})).findings == ()


def test_how_long_hosts_take_is_told_by_how_many_requests_they_hold() -> None:
    before = {envoy.CLUSTERS: clusters(*(host(at, rq_active=40 if at == 3 else 1) for at in (1, 2, 3, 4)))}
    after = {
        envoy.CLUSTERS: clusters(
            *(host(at, rq_total=900, rq_active=40 if at == 3 else 2) for at in (1, 2, 3, 4))
        )
    }
    told = judge(pool(before, after))
    assert [finding.cause for finding in told.findings] == [Cause.SLOW_SERVER]
    assert told.sentence.startswith("10.0.0.1:3 answers in 889 ms, the others in 33 ms")
    # Two in flight say nothing, and streams that are always there are no answers.
    for active in (2, 5000):
        few = [host(at, rq_total=300, rq_active=active) for at in (1, 2, 3, 4)]
        assert (
            judge(pool({envoy.CLUSTERS: clusters(*few[:0], *few)}, {envoy.CLUSTERS: clusters(*few)})).findings
            == ()
        )


@pytest.mark.parametrize("name", ["ring_hash_lb.size", "maglev_lb.size"])
def test_a_ring_means_a_hash(name: str) -> None:
    before, after = even()
    seen = pool(before, {**after, envoy.STATS: stats(**{name: 1024})})
    assert seen.policy is Policy.HASH


def test_stats_in_json_text_and_prometheus_words_say_the_same() -> None:
    said = (
        "cluster.auth.upstream_rq_pending_overflow: 546\ncluster.auth.ring_hash_lb.size: 1024\nother.x: 1\n"
    )
    metrics = (
        "# TYPE envoy_cluster_upstream_rq_pending_overflow counter\n"
        'envoy_cluster_upstream_rq_pending_overflow{envoy_cluster_name="auth"} 546\n'
        'envoy_cluster_ring_hash_lb_size{envoy_cluster_name="auth"} 1024\n'
        'envoy_cluster_ring_hash_lb_size{envoy_cluster_name="api"} 77\n'
    )
    whole = stats(**{"upstream_rq_pending_overflow": 546, "ring_hash_lb.size": 1024})
    assert stats_of(said, "auth") == stats_of(metrics, "auth") == stats_of(whole, "auth")


def test_the_text_form_says_the_same_as_the_json() -> None:
    text = (
        "auth::default_priority::max_connections::2\nauth::10.0.0.1:1::rq_total::7\nauth::10.0.0.1:1::weight::20\n"
        "auth::10.0.0.1:1::health_flags::/failed_active_hc/failed_outlier_check\nauth::10.0.0.1:1::hostname::\n"
        "auth::10.0.0.1:1::priority::0\nauth::10.0.0.1:1::success_rate::-1\n"
        "auth::[::1]:2::rq_total::8\nauth::[::1]:2::health_flags::healthy\n"
    )
    found = clusters_of(text)["auth"]
    assert found.most_connections == 2
    one, other = found.hosts.values()
    assert (one.address, one.of("rq_total"), one.weight) == ("10.0.0.1:1", 7, 20)
    assert one.flags == {"failed_active_hc", "failed_outlier_check"}
    assert (other.address, other.of("rq_total"), other.flags) == ("[::1]:2", 8, frozenset())


def test_a_handshake_that_fails_is_counted_where_it_fails() -> None:
    def fronts(accepted: int, failed: int, asked: int) -> str:
        said = {
            "listener.0.0.0.0_443.downstream_cx_total": accepted,
            "listener.0.0.0.0_443.worker_0.downstream_cx_total": accepted,
            "listener.0.0.0.0_443.ssl.connection_error": failed,
            "listener.admin.downstream_cx_total": 99,
            "http.login.downstream_rq_total": asked,
            "http.admin.downstream_rq_total": 99,
            "cluster.auth.lb_healthy_panic": 0,
        }
        return json.dumps({"stats": [{"name": name, "value": value} for name, value in said.items()]})

    before, after = even(rq_total=1000, rq_success=1000)
    seen = pool({**before, envoy.STATS: fronts(10, 0, 10)}, {**after, envoy.STATS: fronts(510, 500, 10)})
    (front,) = seen.fronts
    assert (front.connections, front.requests, front.failed_handshakes) == (500, 0, 500)
    assert judge(seen).findings[0].cause is Cause.HANDSHAKE


def test_a_cluster_that_is_not_there_is_named_with_those_that_are() -> None:
    one = Sample(0.0, {envoy.CLUSTERS: clusters(host(1))})
    with pytest.raises(NoReading, match=r"no cluster `login` with hosts\. It has: auth"):
        envoy.picture(one, one, Balancer("envoy", "http://x", "login"))


@pytest.mark.parametrize("text", ["", "<html>", '{"cluster_statuses": [', '{"version": "1.40"}', "[1]"])
def test_what_is_no_answer_of_envoy_s_is_a_sentence(text: str) -> None:
    wrong = Sample(0.0, {envoy.CLUSTERS: text})
    with pytest.raises(NoReading):
        envoy.picture(wrong, wrong, Balancer("envoy", "http://x", "auth"))


class Admin(BaseHTTPRequestHandler):
    """Something before Envoy's admin address that passes GET of some paths only."""

    asked: list[str]
    passed: tuple[str, ...]

    def do_GET(self) -> None:
        self.asked.append(f"GET {self.path}")
        is_passed = self.path.startswith(self.passed)
        body = clusters(host(1, rq_total=7)) if "/clusters" in self.path else stats(lb_healthy_panic=0)
        self.send_response(200 if is_passed else 403)
        self.end_headers()
        self.wfile.write(body.encode() if is_passed else b"")

    def do_POST(self) -> None:
        self.asked.append(f"POST {self.path}")
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(params=[("/clusters", "/stats", "/server_info"), ("/clusters",)])
def admin(request: pytest.FixtureRequest) -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    made = type("Passing", (Admin,), {"asked": asked, "passed": request.param})
    server = ThreadingHTTPServer(("127.0.0.1", 0), made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def test_three_paths_are_asked_by_get_and_the_first_is_enough(admin: tuple[str, list[str]]) -> None:
    address, asked = admin
    balancer = Balancer("envoy", address, "auth")
    first = envoy.look(balancer)
    assert envoy.picture(first, envoy.look(balancer, first), balancer).servers[0].name == "10.0.0.1:1"
    assert {words.partition("?")[0] for words in asked} == {"GET /clusters", "GET /stats", "GET /server_info"}


def test_a_cluster_s_name_is_no_pattern() -> None:
    path = envoy._filter(Balancer("envoy", "http://x", "outbound|80||auth.*(x&y)"))
    assert "&" not in path and " " not in path
    assert r"%5C.%5C%2A%5C%28x%5C%26y%5C%29" in path
