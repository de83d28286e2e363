"""What real balancers answered, healthy and broken: made by `python -m tests.captures`, read by tests/test_captures.py.

`CASES` says how each was broken and what the verdict on it must be; README.md says how they were made.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.findings import Cause
from tests.captures.case import HERE, Case
from tests.captures.gateways import GATEWAYS

__all__ = ["CASES", "HERE", "Case"]

_HAPROXY = (
    Case("haproxy", "healthy", "four equal servers, roundrobin"),
    Case(
        "haproxy",
        "healthy-leastconn",
        "four equal servers, leastconn",
        configured={"backend": "balance leastconn"},
    ),
    Case(
        "haproxy",
        "weights",
        "weights 200/10/10/10 in the file",
        Cause.WEIGHTS,
        {"servers": ("weight 200", "weight 10", "weight 10", "weight 10")},
    ),
    Case(
        "haproxy",
        "drain",
        "three servers left in drain",
        Cause.PARKED,
        said=[f"set server be_auth/auth{at} state drain" for at in (2, 3, 4)],
    ),
    Case(
        "haproxy",
        "server-limit",
        "maxconn 1 on each server",
        Cause.QUEUE,
        {"servers": ("maxconn 1",) * 4},
        rate=150,
    ),
    Case(
        "haproxy",
        "check-path",
        "the check asks /health, which is /healthz",
        Cause.HEALTH_CHECK,
        {"check": "/health"},
    ),
    Case(
        "haproxy",
        "application-errors",
        "every server answers a third of its requests with 500",
        Cause.APPLICATION,
        stubs={"status": 500, "one_of": 3},
    ),
    Case(
        "haproxy",
        "application-hangs",
        "every server hangs; the balancer gives up after 5 s",
        Cause.APPLICATION,
        stubs={"long_delay": 60.0, "room": 1000},
        rate=45,
    ),
    Case(
        "haproxy",
        "time-out",
        "timeout server 100 ms, a third of the answers takes 200 ms",
        Cause.TIMEOUT,
        {"backend": "timeout server 100ms"},
        stubs={"long_delay": 0.2, "one_of": 3},
        rate=30,
    ),
    Case(
        "haproxy",
        "application-hangs-up",
        "every server hangs up on a third of its requests without an answer",
        Cause.APPLICATION,
        stubs={"status": 0, "one_of": 3, "tail": 0.2},
    ),
)
_NGINX = (
    Case("nginx", "healthy", "four equal servers, round robin"),
    Case(
        "nginx",
        "healthy-hash",
        "hash of the client's address, consistent, 60 clients",
        configured={"upstream": "hash $remote_addr consistent;"},
        clients=60,
    ),
    Case(
        "nginx",
        "weights",
        "weight=20 on one server",
        Cause.WEIGHTS,
        {"servers": ("weight=20", "", "", "")},
        clients=40,
    ),
    Case("nginx", "down", "three servers left down", Cause.ABSENT, {"servers": ("", "down", "down", "down")}),
    Case(
        "nginx",
        "hash-few-clients",
        "ip_hash behind one proxy: two clients",
        Cause.HASH,
        {"upstream": "hash $remote_addr;"},
        rate=150,
        clients=2,
    ),
    Case(
        "nginx",
        "wrong-port",
        "the fourth address is another service",
        Cause.STRANGER,
        servers=(0, 1, 2, "other"),
    ),
    Case(
        "nginx",
        "time-out",
        "proxy_read_timeout 100 ms, a third of the answers takes 200 ms",
        Cause.TIMEOUT,
        {"location": "proxy_read_timeout 100ms; proxy_next_upstream off;", "servers": ("max_fails=0",) * 4},
        stubs={"long_delay": 0.2, "one_of": 3},
    ),
    Case(
        "nginx",
        "time-out-all-out",
        "the same with max_fails at its default: every server is taken for failed",
        Cause.TIMEOUT,
        {"location": "proxy_read_timeout 100ms;", "servers": ("fail_timeout=1s",) * 4},
        stubs={"long_delay": 0.2, "one_of": 3},
    ),
    Case(
        "nginx",
        "max-conns",
        "max_conns=1 on each server",
        Cause.OVERFLOW,
        {"servers": ("max_conns=1",) * 4},
        {"delay": 0.06},
    ),
    Case(
        "nginx",
        "limit-req",
        "limit_req at half of the traffic",
        Cause.OWN_ERRORS,
        {
            "http": "limit_req_zone $server_port zone=all:1m rate=40r/s;",
            "location": "limit_req zone=all burst=5 nodelay;",
        },
    ),
    Case(
        "nginx",
        "limit-req-429",
        "the same, answered with 429",
        Cause.RATE_LIMIT,
        {
            "http": "limit_req_zone $server_port zone=all:1m rate=40r/s; limit_req_status 429;",
            "location": "limit_req zone=all burst=5 nodelay;",
        },
    ),
    Case(
        "nginx",
        "closed-port",
        "nothing listens at the fourth address; the others take over",
        Cause.BAD_SERVER,
        {"servers": ("fail_timeout=1s",) * 4},
        servers=(0, 1, 2, "closed"),
    ),
    Case("nginx", "tls", "a certificate that clients do not trust", Cause.HANDSHAKE, is_tls=True),
    Case(
        "nginx",
        "slow-server",
        "the third server takes 300 ms",
        Cause.SLOW_SERVER,
        third={"delay": 0.3, "room": 1000},
    ),
    Case(
        "nginx",
        "application-errors",
        "every server answers a third of its requests with 500",
        Cause.APPLICATION,
        stubs={"status": 500, "one_of": 3},
    ),
    Case(
        "nginx",
        "application-down",
        "nothing listens at any server",
        Cause.UNREACHABLE,
        {"servers": ("fail_timeout=1s",) * 4},
        servers=("closed",) * 4,
        rate=45,
    ),
    Case(
        "nginx",
        "application-hangs-up",
        "every server hangs up on a third of its requests without an answer",
        Cause.APPLICATION,
        configured={"servers": ("fail_timeout=1s",) * 4},
        stubs={"status": 0, "one_of": 3},
        rate=45,
    ),
)
_ENVOY = (
    Case("envoy", "healthy", "four equal endpoints, ROUND_ROBIN"),
    Case(
        "envoy",
        "healthy-least-request",
        "four equal endpoints, LEAST_REQUEST",
        configured={"policy": "LEAST_REQUEST"},
    ),
    Case("envoy", "weights", "load_balancing_weight 20/1/1/1", Cause.WEIGHTS, {"weights": (20, 1, 1, 1)}),
    Case(
        "envoy",
        "closed-port",
        "the fourth endpoint is a port where nothing listens, without a health check",
        Cause.UNREACHABLE,
        {"check": ""},
        servers=(0, 1, 2, "closed"),
    ),
    Case(
        "envoy",
        "check-path",
        "the check asks /health, which is /healthz; no panic",
        Cause.HEALTH_CHECK,
        {"check": "/health", "cluster": "    common_lb_config: { healthy_panic_threshold: { value: 0 } }"},
    ),
    Case("envoy", "check-path-panic", "the same, and Envoy panics", Cause.HEALTH_CHECK, {"check": "/health"}),
    Case(
        "envoy",
        "circuit-breaker",
        "max_connections 2, max_pending_requests 1",
        Cause.OVERFLOW,
        {
            "cluster": "    circuit_breakers: { thresholds: [ { max_connections: 2, max_pending_requests: 1 } ] }"
        },
        rate=150,
    ),
    Case(
        "envoy",
        "hash-few-clients",
        "RING_HASH of the client's address, two clients",
        Cause.HASH,
        {
            "policy": "RING_HASH",
            "route": "timeout: 5s, hash_policy: [ { connection_properties: { source_ip: true } } ]",
        },
        rate=150,
        clients=2,
    ),
    Case(
        "envoy",
        "time-out",
        "route time-out 100 ms, a third of the answers takes 200 ms",
        Cause.TIMEOUT,
        {"route": "timeout: 0.1s"},
        stubs={"long_delay": 0.2, "one_of": 3},
    ),
    Case(
        "envoy",
        "application-hangs",
        "every server hangs; the route gives up after 5 s",
        Cause.APPLICATION,
        stubs={"long_delay": 60.0, "room": 1000},
        rate=60,
    ),
    Case("envoy", "tls", "a certificate that clients do not trust", Cause.HANDSHAKE, is_tls=True),
    Case(
        "envoy",
        "slow-server",
        "the third server takes 600 ms",
        Cause.SLOW_SERVER,
        third={"delay": 0.6, "room": 1000},
    ),
    Case(
        "envoy",
        "application-errors",
        "every server answers a third of its requests with 500",
        Cause.APPLICATION,
        stubs={"status": 500, "one_of": 3},
    ),
    Case(
        "envoy",
        "application-slow",
        "every server takes 2 s",
        Cause.APPLICATION,
        stubs={"delay": 2.0, "room": 1000},
    ),
    Case(
        "envoy",
        "application-down",
        "nothing listens at any server",
        Cause.UNREACHABLE,
        servers=("closed",) * 4,
    ),
    Case(
        "envoy",
        "application-hangs-up",
        "every server hangs up on a third of its requests without an answer",
        Cause.APPLICATION,
        stubs={"status": 0, "one_of": 3},
    ),
)
CASES: Sequence[Case] = (*_HAPROXY, *_NGINX, *_ENVOY, *GATEWAYS)
