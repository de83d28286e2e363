"""What exporters call a pool's figures, and the pool that they make.

The names are those of HAProxy's own exporter and of the separate one before it, of the exporters of nginx Plus and of
nginx' traffic module (VTS), of Envoy's per-endpoint statistics, and of Traefik.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot.balancers.prometheus_answers import Growth, Labels
from bot.domain.catalogue import Balancer
from bot.domain.pool import Front, Pool, Server, Standing

Build = Callable[[Growth, Balancer, str], Pool]

_HAPROXY_STATES = {
    "DOWN": Standing.DOWN,
    "MAINT": Standing.MAINT,
    "DRAIN": Standing.DRAIN,
    "NOLB": Standing.DRAIN,
}
#: Of the exporter that came before states had a label.
_HAPROXY_NUMBERS = {0: Standing.DOWN, 2: Standing.MAINT, 3: Standing.DRAIN, 4: Standing.DRAIN}
_PLUS_STATES = {2: Standing.DRAIN, 3: Standing.MAINT, 4: Standing.EJECTED, 5: Standing.DOWN, 6: Standing.DOWN}


@dataclass(frozen=True)
class Exporter:
    """One way of calling them."""

    #: Label that holds the pool's name.
    pool: str
    #: The figure without which there is nothing to read.
    requests: str
    counters: Sequence[str]
    gauges: Sequence[str]
    build: Build


def _has(**wanted: str) -> Callable[[Labels], bool]:
    return lambda labels: all(labels.get(name) == value for name, value in wanted.items())


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _count(values: Sequence[float]) -> int | None:
    return round(sum(values)) if values else None


def _pool(grown: Growth, balancer: Balancer, servers: Sequence[Server], **more: object) -> Pool:
    pool = Pool(
        kind="prometheus",
        backend=balancer.backend,
        servers=tuple(servers),
        window=grown.seconds,
        is_restarted=grown.is_restarted,
    )
    return replace(pool, **more)  # type: ignore[arg-type]


def _haproxy(grown: Growth, balancer: Balancer, label: str) -> Pool:
    servers = [
        _haproxy_server(grown, name, label)
        for name in grown.labels("haproxy_server_sessions_total", "server")
    ]
    of_pool = _has(**{label: balancer.backend})
    failed = grown.of(
        "haproxy_backend_http_responses_total", lambda one: of_pool(one) and one.get("code") == "5xx"
    )
    placed = grown.of("haproxy_backend_loadbalanced_total", of_pool)
    tries = sum(server.requests for server in servers)
    queued = grown.now("haproxy_backend_current_queue", of_pool)
    return _pool(
        grown,
        balancer,
        servers,
        arrived=grown.of("haproxy_backend_sessions_total", of_pool) or tries,
        own_errors=max(0, failed - sum(server.errors for server in servers)),
        queue=round(sum(queued)) + sum(server.queue for server in servers),
        bypass=max(0.0, 1 - placed / tries)
        if tries and grown.has("haproxy_backend_loadbalanced_total")
        else None,
        fronts=_haproxy_front(grown, balancer, label),
    )


def _haproxy_server(grown: Growth, name: str, label: str) -> Server:
    mine = _has(server=name)
    gauge = {key: grown.now(f"haproxy_server_{key}", mine) for key in _HAPROXY_GAUGES}
    codes = grown.labels("haproxy_server_http_responses_total", "code")
    answers = {
        code: grown.of("haproxy_server_http_responses_total", _has(server=name, code=code)) for code in codes
    }
    checks = grown.states("haproxy_server_check_status", mine)
    return Server(
        name=name,
        requests=grown.of("haproxy_server_sessions_total", mine),
        standing=_haproxy_standing(grown, mine),
        # Several processes may differ; a share follows their mean.
        weight=_mean(gauge["weight"]),
        errors=answers.get("5xx", 0),
        answers=sum(answers.values()),
        unreached=grown.of("haproxy_server_connection_errors_total", mine)
        + grown.of("haproxy_server_redispatch_warnings_total", mine),
        unanswered=grown.of("haproxy_server_response_errors_total", mine),
        queue=round(sum(gauge["current_queue"])),
        busy=_count(gauge["current_sessions"]),
        busy_limit=_count([limit for limit in gauge["limit_sessions"] if limit]),
        check=_haproxy_check(checks, gauge["check_code"]),
        has_check=any(checks.values()) if checks else None,
    )


_HAPROXY_GAUGES = ("weight", "current_queue", "current_sessions", "limit_sessions", "check_code")


def _haproxy_standing(grown: Growth, mine: Callable[[Labels], bool]) -> Standing:
    states = grown.states("haproxy_server_status", mine)
    if states:
        word = max(states, key=lambda state: states[state])
        standing = _HAPROXY_STATES.get(word, Standing.UP)
    else:
        numbers = grown.now("haproxy_server_status", mine) or grown.now("haproxy_server_up", mine)
        standing = _HAPROXY_NUMBERS.get(round(numbers[0]), Standing.UP) if numbers else Standing.UP
    is_backup = sum(grown.now("haproxy_server_backup", mine)) > 0
    return Standing.BACKUP if standing is Standing.UP and is_backup else standing


def _haproxy_check(states: dict[str, float], codes: Sequence[float]) -> str:
    word = max(states, key=lambda state: states[state]) if any(states.values()) else ""
    if not word or word.endswith("OK") or word == "L7OKC":
        return ""
    return f"{word}/{round(codes[0])}" if codes and codes[0] else word


def _haproxy_front(grown: Growth, balancer: Balancer, label: str) -> tuple[Front, ...]:
    if not balancer.front:
        return ()
    mine = _has(**{label: balancer.front})
    gauge = {key: grown.now(f"haproxy_frontend_{key}", mine) for key in _FRONT_GAUGES}
    front = Front(
        f"the frontend {balancer.front}",
        connections=grown.of("haproxy_frontend_connections_total", mine),
        requests=grown.of("haproxy_frontend_http_requests_total", mine),
        is_http=grown.has("haproxy_frontend_http_requests_total"),
        busy=_count(gauge["current_sessions"]),
        busy_limit=_count([limit for limit in gauge["limit_sessions"] if limit]),
    )
    return (front,)


_FRONT_GAUGES = ("current_sessions", "limit_sessions")


def _plus(grown: Growth, balancer: Balancer, label: str) -> Pool:
    servers = []
    for name in grown.labels("nginxplus_upstream_server_requests", "server"):
        mine = _has(server=name)
        state = grown.now("nginxplus_upstream_server_state", mine)
        tries = grown.of("nginxplus_upstream_server_requests", mine)
        answers = grown.of("nginxplus_upstream_server_responses", mine)
        failed = grown.of("nginxplus_upstream_server_fails", mine)
        limits = [limit for limit in grown.now("nginxplus_upstream_server_limit", mine) if limit]
        servers.append(
            Server(
                name=balancer.name_of(name),
                address=name,
                requests=tries,
                standing=_PLUS_STATES.get(round(max(state)), Standing.UP) if state else Standing.UP,
                errors=grown.of("nginxplus_upstream_server_responses", _has(server=name, code="5xx")),
                answers=answers,
                # A failed try is one that was not answered, or was answered with what counts as a failure.
                unreached=min(failed, max(0, tries - answers)),
                busy=_count(grown.now("nginxplus_upstream_server_active", mine)),
                busy_limit=_count(limits),
                latency=_mean(
                    [time for time in grown.now("nginxplus_upstream_server_response_time", mine) if time]
                ),
            )
        )
    return _pool(grown, balancer, servers)


def _vts(grown: Growth, balancer: Balancer, label: str) -> Pool:
    servers = []
    for name in grown.labels("nginx_vts_upstream_requests_total", "backend"):
        codes = {
            code: grown.of("nginx_vts_upstream_requests_total", _has(backend=name, code=code))
            for code in ("total", "1xx", "2xx", "3xx", "4xx", "5xx")
        }
        tries = codes["total"] or sum(codes.values())
        spent = [
            seconds
            for seconds in grown.now("nginx_vts_upstream_response_seconds", _has(backend=name))
            if seconds
        ]
        mean = _mean(spent)
        servers.append(
            Server(
                name=balancer.name_of(name),
                address=name,
                requests=tries,
                errors=codes["5xx"],
                answers=tries,
                latency=None if mean is None else 1000 * mean,
            )
        )
    return _pool(grown, balancer, servers)


def _envoy(grown: Growth, balancer: Balancer, label: str) -> Pool:
    servers = []
    for name in grown.labels("envoy_cluster_endpoint_rq_total", "envoy_endpoint_address"):
        mine = _has(envoy_endpoint_address=name)
        # What refuses connections has no request to its name, and its 503 among its errors.
        unreached = grown.of("envoy_cluster_endpoint_cx_connect_fail", mine)
        late = grown.of("envoy_cluster_endpoint_rq_timeout", mine)
        asked = grown.of("envoy_cluster_endpoint_rq_total", mine)
        failed = grown.of("envoy_cluster_endpoint_rq_error", mine)
        healthy = grown.now("envoy_cluster_endpoint_healthy", mine)
        servers.append(
            Server(
                name=balancer.name_of(name),
                address=name,
                requests=asked + unreached,
                standing=Standing.DOWN if healthy and not any(healthy) else Standing.UP,
                errors=max(0, failed - unreached - late),
                answers=max(0, asked - late),
                unreached=unreached,
                unanswered=late,
                busy=_count(grown.now("envoy_cluster_endpoint_rq_active", mine)),
            )
        )
    tries = sum(server.requests for server in servers)
    panicked = grown.of("envoy_cluster_lb_healthy_panic")
    return _pool(
        grown,
        balancer,
        servers,
        own_errors=sum(server.unreached + server.unanswered for server in servers),
        arrived=tries,
        overflowed=grown.of("envoy_cluster_upstream_rq_pending_overflow"),
        queue=round(sum(grown.now("envoy_cluster_upstream_rq_pending_active"))),
        is_panicking=panicked > 0.5 * tries > 0,
    )


def _traefik(grown: Growth, balancer: Balancer, label: str) -> Pool:
    servers = []
    for url in grown.labels("traefik_service_server_up", "url"):
        up = grown.now("traefik_service_server_up", _has(url=url))
        address = url.rpartition("//")[2].rstrip("/")
        servers.append(
            Server(
                name=balancer.name_of(address),
                address=address,
                requests=0,
                standing=Standing.UP if any(up) or not up else Standing.DOWN,
                has_check=True,
            )
        )
    failed = grown.of("traefik_service_requests_total", lambda labels: labels.get("code", "")[:1] == "5")
    return _pool(
        grown,
        balancer,
        servers,
        arrived=grown.of("traefik_service_requests_total"),
        errors=failed,
        split_untold="Traefik counts requests by service and not by server. Read Traefik itself with its access log "
        "(kind: traefik)",
    )


_HAPROXY_COUNTERS = (
    *(
        f"haproxy_server_{n}_total"
        for n in ("sessions", "http_responses", "connection_errors", "response_errors")
    ),
    "haproxy_server_redispatch_warnings_total",
    *(f"haproxy_backend_{n}_total" for n in ("sessions", "http_responses", "loadbalanced")),
    *(f"haproxy_frontend_{n}_total" for n in ("connections", "http_requests")),
)
_HAPROXY_NOW = (
    *(f"haproxy_server_{n}" for n in (*_HAPROXY_GAUGES, "status", "check_status", "up", "backup")),
    "haproxy_backend_current_queue",
    *(f"haproxy_frontend_{n}" for n in _FRONT_GAUGES),
)
_ENDPOINT = "envoy_cluster_endpoint"

_HAPROXY = Exporter("proxy", "haproxy_server_sessions_total", _HAPROXY_COUNTERS, _HAPROXY_NOW, _haproxy)

EXPORTERS = (
    _HAPROXY,
    # The exporter that stood beside it, before it had its own.
    replace(_HAPROXY, pool="backend"),
    Exporter(
        "upstream",
        "nginxplus_upstream_server_requests",
        tuple(f"nginxplus_upstream_server_{n}" for n in ("requests", "responses", "fails")),
        tuple(f"nginxplus_upstream_server_{n}" for n in ("state", "active", "limit", "response_time")),
        _plus,
    ),
    Exporter(
        "upstream",
        "nginx_vts_upstream_requests_total",
        ("nginx_vts_upstream_requests_total",),
        ("nginx_vts_upstream_response_seconds",),
        _vts,
    ),
    Exporter(
        "envoy_cluster_name",
        f"{_ENDPOINT}_rq_total",
        (
            *(f"{_ENDPOINT}_{n}" for n in ("rq_total", "rq_error", "rq_timeout", "cx_connect_fail")),
            "envoy_cluster_upstream_rq_total",
            "envoy_cluster_upstream_rq_pending_overflow",
            "envoy_cluster_lb_healthy_panic",
        ),
        (f"{_ENDPOINT}_healthy", f"{_ENDPOINT}_rq_active", "envoy_cluster_upstream_rq_pending_active"),
        _envoy,
    ),
    Exporter(
        "service",
        "traefik_service_server_up",
        ("traefik_service_requests_total",),
        ("traefik_service_server_up",),
        _traefik,
    ),
)
#: Totals without servers, and what to do to have both.
ONLY_TOTALS = {
    "envoy_cluster_upstream_rq_total": (
        "Envoy counts the servers of this cluster together. Write `track_cluster_stats: {per_endpoint_stats: true}` "
        "into the cluster, or read Envoy's admin address (kind: envoy)."
    ),
    "traefik_service_requests_total": (
        "Traefik counts this service's servers together. Read Traefik itself with its access log (kind: traefik)."
    ),
}
