"""Envoy: the admin address, of which three fixed paths are read: /clusters, /stats and /server_info, all by GET.

The admin address can also drain and stop Envoy (POST /quitquitquit) and shows certificates and configuration. It should
be reachable from Envoy's own machine alone; let Lantern read it through a proxy that passes GET of these three paths
and nothing else (docs/balancers.md has one). With /clusters alone much is still told.

A host's figures are those of Envoy's operations guide ("admin", /clusters): `rq_total` counts requests that reached a
connection, so one that refuses connections has 0 of them and its failures in `cx_connect_fail`; `rq_error` counts 5xx,
also those that Envoy wrote for a time-out or a failed connection.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from urllib.parse import quote

from bot.balancers.asking import ask_http, soon
from bot.balancers.envoy_answers import (
    Cluster,
    Host,
    Stats,
    clusters_of,
    is_clusters,
    is_stats,
    stats_of,
    uptime_of,
)
from bot.balancers.in_flight import ENOUGH, stay
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.pool import Front, Policy, Pool, Server, Standing, with_absent

KIND = "envoy"
CLUSTERS, STATS, SERVER = "/clusters", "/stats", "/server_info"


def look(balancer: Balancer, before: Sample | None = None) -> Sample:
    """One look. Raises NoReading; where /stats or /server_info is not passed on, it does without."""
    ends_at = soon()
    texts = {CLUSTERS: ask_http(balancer.address, "/clusters?format=json", ends_at)}
    for name, path in ((STATS, f"/stats?format=json&filter={_filter(balancer)}"), (SERVER, SERVER)):
        try:
            texts[name] = ask_http(balancer.address, path, ends_at)
        except NoReading:
            continue
    return Sample(time.monotonic(), texts)


def _filter(balancer: Balancer) -> str:
    """What is wanted of /stats, as the regular expression that it takes."""
    cluster = re.escape(balancer.backend.replace(":", "_"))
    behind = (
        r"upstream_rq_(pending_overflow|retry_success)|upstream_cx_none_healthy|lb_healthy_panic"
        r"|health_check\.(attempt|failure|network_failure)|(ring_hash|maglev)_lb\.size"
    )
    front = r"downstream_(cx_total|cx_overflow|global_cx_overflow|rq_total)|ssl\.(connection_error|handshake)"
    return quote(rf"^(cluster\.{cluster}\.({behind})|(listener|http)\..+\.({front}))$", safe="")


def sniff(text: str) -> str:
    """Which path's answer a text is; "" when it is none of Envoy's."""
    if is_clusters(text):
        return CLUSTERS
    if is_stats(text):
        return STATS
    return SERVER if uptime_of(text) is not None else ""


def picture(before: Sample, after: Sample, balancer: Balancer) -> Pool:
    """The pool between two samples. Raises NoReading when they do not hold that cluster."""
    clusters = clusters_of(after.texts.get(CLUSTERS, ""))
    new = clusters.get(balancer.backend)
    if new is None or not new.hosts:
        known = ", ".join(sorted(name for name, one in clusters.items() if one.hosts)[:10]) or "none"
        raise NoReading(f"Envoy has no cluster `{balancer.backend}` with hosts. It has: {known}.")
    old = clusters_of(before.texts[CLUSTERS]).get(balancer.backend) if CLUSTERS in before.texts else None
    olds: Mapping[str, Host] = old.hosts if old else {}
    window = max(0.0, after.at - before.at)
    uptime = uptime_of(after.texts.get(SERVER, ""))
    is_restarted = uptime + 1 < window if uptime is not None else _is_reset(new, olds)
    stats = stats_of(after.texts.get(STATS, ""), balancer.backend)
    stats_before = stats_of(before.texts.get(STATS, ""), balancer.backend) if not is_restarted else Stats()
    grown = _Grown(new, {} if is_restarted else olds, stats, stats_before, window)
    built = [grown.server(host, balancer) for host in new.hosts.values()]
    wanted = dict(balancer.intended) or dict.fromkeys(balancer.addresses, 1.0)
    servers = with_absent(built, wanted)
    unserved, overflowed = grown.of("upstream_cx_none_healthy"), grown.of("upstream_rq_pending_overflow")
    failed = sum(one.unreached + one.unanswered for one in built) - grown.of("upstream_rq_retry_success")
    policy, algorithm = _policy(stats)
    return Pool(
        kind=KIND,
        backend=balancer.backend,
        servers=servers,
        window=window,
        fronts=_fronts(stats, stats_before, balancer.front) if stats.cluster else _full(new),
        policy=policy,
        algorithm=algorithm,
        arrived=sum(one.requests for one in built) + unserved + overflowed,
        own_errors=max(0, failed) + unserved,
        queue=0 if overflowed else grown.queue(),
        queue_before=_waiting(old) if old else 0,
        overflowed=overflowed,
        unserved=unserved,
        is_panicking=grown.of("lb_healthy_panic") > 0 or _is_ignoring_health(built),
        is_restarted=is_restarted,
        intended=wanted,
    )


class _Grown:
    """What grew in a cluster between two looks."""

    def __init__(
        self, new: Cluster, olds: Mapping[str, Host], stats: Stats, stats_before: Stats, window: float
    ) -> None:
        self._new, self._olds, self._stats, self._before, self._window = (
            new,
            olds,
            stats,
            stats_before,
            window,
        )
        self._priority = min((host.priority for host in new.hosts.values()), default=0)
        pairs = [(host, olds.get(address)) for address, host in new.hosts.items()]
        self._is_timed = any(o and min(h.of("rq_active"), o.of("rq_active")) >= ENOUGH for h, o in pairs)

    def of(self, name: str) -> int:
        """A figure of the cluster. Where only the second look has figures, its part since the start is taken."""
        now = self._stats.cluster.get(name, 0)
        if self._before.cluster or not self._stats.cluster or not self._olds:
            return max(0, now - self._before.cluster.get(name, 0))
        whole = sum(host.of("rq_total") for host in self._new.hosts.values())
        within = sum(self._since(host, "rq_total") for host in self._new.hosts.values())
        return round(now * within / whole) if whole else now

    def queue(self) -> int:
        """Requests that wait for a connection where no more may be opened. Others wait a moment for theirs."""
        limit = self._new.most_connections
        is_full = limit is not None and sum(h.of("cx_active") for h in self._new.hosts.values()) >= limit
        return _waiting(self._new) if is_full else 0

    def server(self, host: Host, balancer: Balancer) -> Server:
        """A host as a server of the pool."""
        unreached, timeouts = self._since(host, "cx_connect_fail"), self._since(host, "rq_timeout")
        requests = self._since(host, "rq_total") + unreached
        errors = max(0, self._since(host, "rq_error") - timeouts - unreached)
        latency, waited = self._latency(host, requests)
        standing = self._standing(host)
        return Server(
            name=_name(host, balancer),
            address=host.address,
            requests=requests,
            standing=standing,
            weight=host.weight,
            is_warming="pending_active_hc" in host.flags or self._is_new(host),
            errors=errors,
            answers=self._since(host, "rq_success") + errors,
            unreached=unreached,
            unanswered=timeouts,
            busy=host.of("rq_active"),
            latency=latency,
            latency_most=waited,
            check=self._check(host) if standing is Standing.DOWN else "",
            has_check=self._stats.cluster.get("health_check.attempt", 0) > 0 if self._stats.cluster else None,
        )

    def _since(self, host: Host, name: str) -> int:
        old = self._olds.get(host.address)
        if old is None or host.of("rq_total") < old.of("rq_total"):
            # It was taken out and put in again meanwhile.
            return host.of(name)
        return max(0, host.of(name) - old.of(name))

    def _standing(self, host: Host) -> Standing:
        if host.flags & {"failed_active_hc", "failed_eds_health"}:
            return Standing.DOWN
        if "failed_outlier_check" in host.flags:
            return Standing.EJECTED
        if "eds_status_draining" in host.flags:
            return Standing.DRAIN
        is_spare = host.priority > self._priority or host.flags & {
            "degraded_active_hc",
            "degraded_eds_health",
        }
        return Standing.BACKUP if is_spare else Standing.UP

    def _check(self, host: Host) -> str:
        """What the health check got, in HAProxy's words, as far as Envoy tells."""
        if "failed_active_hc" not in host.flags:
            return ""
        if "active_hc_timeout" in host.flags:
            return "L7TOUT"
        failed, unheard = (
            self._stats.cluster.get(f"health_check.{name}", 0)
            - self._before.cluster.get(f"health_check.{name}", 0)
            or self._stats.cluster.get(f"health_check.{name}", 0)
            for name in ("failure", "network_failure")
        )
        if not failed:
            return ""
        return "L4CON" if 2 * unheard > failed else "L7STS"

    def _is_new(self, host: Host) -> bool:
        """Whether it came between the looks, so that it had less time than its neighbours."""
        return bool(self._olds) and host.address not in self._olds

    def _latency(self, host: Host, requests: int) -> tuple[float | None, float | None]:
        """Milliseconds to answer, and that requests wait; None while too few are in flight to say, or streams are."""
        old = self._olds.get(host.address)
        if not self._is_timed or old is None:
            return None, None
        waited = stay(old.of("rq_active"), host.of("rq_active"), requests, self._window)
        # What stays for longer than the window is mostly there to stay: a stream, a socket.
        return (waited if waited is not None and waited < 1000 * self._window else None), waited


def _waiting(cluster: Cluster) -> int:
    return sum(host.of("rq_pending_active") for host in cluster.hosts.values())


def _is_reset(new: Cluster, olds: Mapping[str, Host]) -> bool:
    return any(host.of("rq_total") < olds[at].of("rq_total") for at, host in new.hosts.items() if at in olds)


def _is_ignoring_health(servers: list[Server]) -> bool:
    """Whether hosts that are called down get their part all the same."""
    down = [one.requests for one in servers if one.standing is Standing.DOWN]
    return bool(down) and 2 * sum(down) * len(servers) >= sum(one.requests for one in servers) * len(down) > 0


def _name(host: Host, balancer: Balancer) -> str:
    for place in (
        host.address,
        host.hostname and f"{host.hostname}:{host.address.rpartition(':')[2]}",
        host.hostname,
    ):
        if place and balancer.name_of(place) != place:
            return balancer.name_of(place)
    return host.address


def _policy(stats: Stats) -> tuple[Policy, str]:
    """How it chooses, where its figures show it: rings are kept for hashes alone."""
    for name in ("ring_hash", "maglev"):
        if f"{name}_lb.size" in stats.cluster:
            return Policy.HASH, name.replace("_", " ")
    return Policy.EVEN, ""


def _full(cluster: Cluster) -> tuple[Front, ...]:
    """The circuit breaker on connections, if it is reached: without /stats nobody counts what it refuses."""
    limit = cluster.most_connections
    opened, busy = (
        sum(host.of(name) for host in cluster.hosts.values()) for name in ("cx_active", "rq_active")
    )
    # Idle connections are kept open: that there are as many as allowed says something once most are in use.
    if not limit or opened < limit or busy < 0.7 * limit:
        return ()
    return (Front("its pool of connections to the servers", busy=min(opened, limit), busy_limit=limit),)


def _fronts(new: Stats, old: Stats, front: str) -> tuple[Front, ...]:
    if not new.fronts or not old.fronts:
        return ()
    is_named = any(front == name for _, name, _ in new.fronts)

    def grown(kind: str, what: str) -> int | None:
        found = [
            max(0, value - old.fronts.get(key, 0))
            for key, value in new.fronts.items()
            if key[0] == kind and key[2] == what and (key[1] == front or not is_named)
        ]
        return sum(found) if found else None

    connections = grown("listener", "downstream_cx_total")
    if connections is None:
        connections = grown("http", "downstream_cx_total") or 0
    requests = grown("http", "downstream_rq_total")
    dropped = (grown("listener", "downstream_cx_overflow") or 0) + (
        grown("listener", "downstream_global_cx_overflow") or 0
    )
    return (
        Front(
            f"the listener {front}" if is_named else "the balancer",
            connections=connections,
            requests=requests or 0,
            is_http=requests is not None,
            failed_handshakes=grown("listener", "ssl.connection_error"),
            dropped=dropped,
        ),
    )
