"""The figures of a pool that thresholds are set on, each with one plain meaning."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.pool import Policy, Pool, Server, Standing, distance, noise

#: From here on a server's share is hot: half more than fair, and ten points.
HOT_RATIO = 1.5
HOT_POINTS = 0.10


@dataclass(frozen=True)
class Figures:
    """What the thresholds look at. Parts are 0 to 1."""

    requests: int
    #: Part of the requests that went to the wrong server, against what people intended.
    off_target: float
    #: The same among the servers in rotation alone: what is wrong with the split itself.
    skew: float
    #: What chance alone would do to `skew`, and to `off_target`, once in a hundred looks.
    noise: float
    #: Part of the traffic that was meant for servers that are not in rotation.
    out_of_rotation: float
    #: Distance of the weights in force from the intent, among the servers in rotation; None without weights.
    drift: float | None
    #: 5xx of the servers, and 5xx that the balancer wrote, per request.
    errors: float
    own_errors: float


#: What a runbook may expect of a reading, and what it is.
NAMED = {
    "requests": "requests in the window",
    "off_target_share": "part of the requests at the wrong server, against what people intended",
    "not_ready": "part of the traffic meant for servers that are not in rotation",
    "servers_down": "servers that their health check calls down",
    "weight_off_target": "distance of the weights in force from the intended split",
    "bypass_share": "part of the requests placed without the balancing algorithm",
    "error_share": "part of the requests answered with 5xx",
    "balancer_error_share": "part of the requests answered with a 5xx that the balancer wrote itself",
    "server_error_share_most": "part of its requests that the worst server answers with 5xx",
    "unreached": "tries that reached no server",
    "queue": "requests that wait in the balancer",
    "front_used": "the fullest limit in front of the pool, 1 is full",
    "slow_servers": "servers three times as slow as the others",
    "latency_ms": "median of the servers' time to answer, in milliseconds",
    "handshakes_failed": "TLS handshakes with clients that failed",
}


def named(pool: Pool) -> dict[str, float]:
    """The figures by the names that runbooks use; what the balancer does not tell is left out."""
    found = figures(pool)
    values: dict[str, float | None] = {
        "requests": float(found.requests),
        "off_target_share": found.off_target,
        "not_ready": found.out_of_rotation,
        "servers_down": float(sum(1 for s in pool.servers if s.standing is Standing.DOWN)),
        "weight_off_target": found.drift,
        "bypass_share": pool.bypass,
        "error_share": found.errors + found.own_errors,
        "balancer_error_share": None if pool.own_errors is None else found.own_errors,
        "server_error_share_most": max(
            (s.errors / s.requests for s in pool.servers if s.requests), default=0.0
        ),
        "unreached": float(sum(s.unreached for s in pool.servers)),
        "queue": float(pool.queue),
        "front_used": _front_used(pool),
        "slow_servers": float(sum(1 for server in pool.servers if is_slow(pool, server))),
        "latency_ms": _latency(pool),
        "handshakes_failed": _handshakes_failed(pool),
    }
    return {name: value for name, value in values.items() if value is not None}


def _front_used(pool: Pool) -> float | None:
    used = [
        front.busy / front.busy_limit for front in pool.fronts if front.busy is not None and front.busy_limit
    ]
    used += [
        front.rate / front.rate_limit for front in pool.fronts if front.rate is not None and front.rate_limit
    ]
    return max(used, default=None)


def _latency(pool: Pool) -> float | None:
    timed = [server.latency for server in pool.servers if server.latency is not None and server.requests]
    return statistics.median(timed) if timed else None


def _handshakes_failed(pool: Pool) -> float | None:
    failed = [front.failed_handshakes for front in pool.fronts if front.failed_handshakes is not None]
    return float(sum(failed)) if failed else None


def figures(pool: Pool) -> Figures:
    """The figures of a pool."""
    # What goes to strangers has a finding of its own; the split is that among the servers that people mean.
    inside = [server for server in in_rotation(pool) if not pool.is_stranger(server)]
    arrived = max(pool.arrived or 0, 1)
    return Figures(
        requests=pool.total,
        off_target=distance([pool.share(s) for s in pool.servers], [pool.fair_share(s) for s in pool.servers])
        if pool.total
        else 0.0,
        skew=_distance_among(pool, inside, [float(server.requests) for server in inside]),
        noise=noise(max(len(inside), 1), pool.total),
        out_of_rotation=sum(pool.fair_share(s) for s in pool.servers if not s.is_in_rotation),
        drift=_drift(pool, inside),
        errors=_errors(pool),
        own_errors=(pool.own_errors or 0) / arrived if pool.arrived else 0.0,
    )


def _errors(pool: Pool) -> float:
    if pool.split_untold and pool.errors is not None:
        return pool.errors / max(pool.arrived or 0, 1)
    return sum(s.errors for s in pool.servers) / max(pool.total, 1)


def in_rotation(pool: Pool) -> list[Server]:
    """The servers that are meant to get requests, by the balancer's own account."""
    return [server for server in pool.servers if server.is_in_rotation and server.standing is Standing.UP]


def parts(amounts: Sequence[float]) -> list[float]:
    """The amounts as parts of their sum; all 0 when there is nothing."""
    whole = sum(amounts)
    return [amount / whole if whole else 0.0 for amount in amounts]


def _distance_among(pool: Pool, servers: Sequence[Server], amounts: Sequence[float]) -> float:
    fair = [pool.fair_share(server) for server in servers]
    if not servers or not sum(amounts) or not sum(fair):
        return 0.0
    return distance(parts(amounts), parts(fair))


def _drift(pool: Pool, inside: Sequence[Server]) -> float | None:
    weights = [server.weight for server in inside]
    if not weights or any(weight is None for weight in weights):
        return None
    return _distance_among(pool, inside, [weight or 0.0 for weight in weights])


def is_hot(pool: Pool, server: Server) -> bool:
    """Whether it gets far more than its fair share."""
    share, fair = pool.share(server), pool.fair_share(server)
    return share >= HOT_RATIO * fair and share >= fair + HOT_POINTS


def hottest(pool: Pool) -> Server | None:
    """The server that is furthest above its fair share, if it is hot."""
    hot = [server for server in pool.servers if is_hot(pool, server)]
    return max(hot, key=lambda server: pool.share(server) - pool.fair_share(server), default=None)


def split_limits(pool: Pool, found: Figures) -> tuple[float, float]:
    """From which skew on the split is worth a word, and from which it is bad.

    Clients that a cookie or a hash pins come in lumps: 200 of them, Zipf-busy, are 0.27 to 0.32 from even when nothing
    is wrong (simulated), so there the limits are wider.
    """
    if pool.policy is Policy.HASH or pool.is_pinned or (pool.bypass or 0.0) >= 0.10:
        lumps = 0.0 if pool.keys is None else noise(len(in_rotation(pool)), math.floor(pool.keys))
        return max(0.25, found.noise, lumps), max(0.40, lumps)
    return max(0.10, found.noise), 0.25


def is_harmed(pool: Pool, found: Figures) -> bool:
    """Whether anybody suffers: errors, requests that wait, or one server far slower than its neighbours."""
    return (
        (found.errors >= 0.02 and not _is_failing_alike(pool))
        or found.own_errors >= 0.02
        or pool.queue >= 10
        or any(is_slow(pool, server) for server in pool.servers)
    )


def _is_failing_alike(pool: Pool) -> bool:
    """Whether servers that get little fail as often as those that get too much: then the split is not why."""
    hot = [server for server in pool.servers if is_hot(pool, server)]
    others = [server for server in pool.servers if server.requests and server not in hot]
    tries, failed = sum(s.requests for s in others), sum(s.errors for s in others)
    if not hot or tries < 20:
        return False
    return failed / tries >= 0.5 * sum(s.errors for s in hot) / sum(s.requests for s in hot)


def is_slow(pool: Pool, server: Server) -> bool:
    """Three times as slow as the others' median, by 50 ms at least, and not recovering in the window.

    A mean of few answers strays: of ten it must be four and a half times as slow, of a thousand three.
    """
    others = [
        one.latency for one in pool.servers if one is not server and one.latency is not None and one.requests
    ]
    # Errors may be quick and are not timed then; a server that only fails is timed by them.
    timed = server.requests - server.errors or server.requests
    if server.latency is None or timed < 5 or not others:
        return False
    usual = statistics.median(others)
    # Where the reader knows how far its mean may be off, that is counted; else few answers must be slower still.
    is_sure = server.latency_least is not None
    surely = server.latency_least if server.latency_least is not None else server.latency
    far = 3.0 if is_sure else 3 * (1 + 1.5 / math.sqrt(timed))
    is_recovering = server.latency_before is not None and server.latency < 0.9 * server.latency_before
    return surely >= far * usual and surely >= usual + 50 and not is_recovering
