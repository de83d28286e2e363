"""The captures of Traefik and Caddy: how each was broken, and what the verdict must be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.domain.findings import Cause
from tests.captures.case import Case

_ERRORS: dict[str, Any] = {"status": 500, "one_of": 3}
_LATE: dict[str, Any] = {"long_delay": 0.2, "one_of": 3}

_TRAEFIK = (
    Case("traefik", "healthy", "four equal servers, wrr"),
    Case(
        "traefik",
        "healthy-sticky",
        "a sticky cookie, which clients without cookies do not bring",
        configured={"sticky": True},
    ),
    Case("traefik", "weights", "weights 20/1/1/1", Cause.WEIGHTS, {"weights": (20, 1, 1, 1)}),
    Case(
        "traefik",
        "check-path",
        "the check asks /health, which is /healthz",
        Cause.HEALTH_CHECK,
        {"check": "/health"},
    ),
    Case(
        "traefik",
        "closed-port",
        "the fourth server is a port where nothing listens, without a health check",
        Cause.UNREACHABLE,
        servers=(0, 1, 2, "closed"),
    ),
    Case(
        "traefik",
        "closed-port-retry",
        "the same, and a retry hides it",
        Cause.UNREACHABLE,
        {"retry": 3},
        servers=(0, 1, 2, "closed"),
    ),
    Case(
        "traefik",
        "wrong-port",
        "the fourth server is another service",
        Cause.STRANGER,
        servers=(0, 1, 2, "other"),
    ),
    Case(
        "traefik",
        "time-out",
        "responseHeaderTimeout 100 ms, a third of the answers takes 200 ms",
        Cause.TIMEOUT,
        {"timeout": "100ms"},
        stubs=_LATE,
    ),
    Case(
        "traefik",
        "slow-server",
        "the third server takes 300 ms",
        Cause.SLOW_SERVER,
        third={"delay": 0.3, "room": 1000},
    ),
    Case(
        "traefik",
        "application-errors",
        "every server answers a third of its requests with 500",
        Cause.APPLICATION,
        stubs=_ERRORS,
    ),
    Case(
        "traefik",
        "application-down",
        "nothing listens at any server",
        Cause.UNREACHABLE,
        servers=("closed",) * 4,
    ),
)
_CADDY = (
    Case("caddy", "healthy", "four equal servers, round_robin"),
    Case("caddy", "healthy-random", "the policy that Caddy has without one", configured={"policy": "random"}),
    Case(
        "caddy",
        "weights",
        "weighted_round_robin 20 1 1 1",
        Cause.WEIGHTS,
        {"policy": "weighted_round_robin 20 1 1 1"},
    ),
    Case("caddy", "first", "lb_policy first", Cause.FIRST, {"policy": "first"}),
    Case("caddy", "hash", "uri_hash, and every login has one path", Cause.HASH, {"policy": "uri_hash"}),
    Case(
        "caddy",
        "check-path",
        "the check asks /health, which is /healthz",
        Cause.HEALTH_CHECK,
        {"check": "/health"},
    ),
    Case(
        "caddy",
        "closed-port",
        "the fourth server is a port where nothing listens, without a health check",
        Cause.UNREACHABLE,
        servers=(0, 1, 2, "closed"),
    ),
    Case(
        "caddy",
        "server-limit",
        "unhealthy_request_count 1 on each server",
        Cause.OVERFLOW,
        {"more": "unhealthy_request_count 1"},
        {"delay": 0.06},
    ),
    Case(
        "caddy",
        "time-out",
        "response_header_timeout 100 ms, a third of the answers takes 200 ms",
        Cause.TIMEOUT,
        {"more": "transport http {\n response_header_timeout 100ms\n}"},
        stubs=_LATE,
    ),
    Case(
        "caddy",
        "application-errors",
        "every server answers a third of its requests with 500",
        Cause.APPLICATION,
        stubs=_ERRORS,
    ),
    Case(
        "caddy",
        "application-slow",
        "every server takes 2 s",
        Cause.APPLICATION,
        stubs={"delay": 2.0, "room": 1000},
    ),
    Case(
        "caddy",
        "application-down",
        "nothing listens at any server",
        Cause.UNREACHABLE,
        servers=("closed",) * 4,
    ),
)
GATEWAYS: Sequence[Case] = (*_TRAEFIK, *_CADDY)
