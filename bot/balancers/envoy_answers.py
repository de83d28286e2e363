"""What Envoy's admin address answers: /clusters in JSON and in text, /stats in JSON, in text and in Prometheus' words.

Nothing of an answer is trusted to be there, or to be of its kind: what is missing counts as nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.balancers.sample import NoReading, whole

_NO_CLUSTERS = (
    "That is not what Envoy answers at /clusters. Name its admin address in the catalogue, or what stands before it, "
    "for example `address: http://10.0.0.5:9901`."
)
#: Keys of a host's health in JSON -> the flag of the text form.
_FLAGS = {
    "failed_active_health_check": "failed_active_hc",
    "failed_outlier_check": "failed_outlier_check",
    "failed_active_degraded_check": "degraded_active_hc",
    "pending_active_hc": "pending_active_hc",
    "active_hc_timeout": "active_hc_timeout",
}
_EDS = {
    "UNHEALTHY": "failed_eds_health",
    "TIMEOUT": "failed_eds_health",
    "DRAINING": "eds_status_draining",
    "DEGRADED": "degraded_eds_health",
}
_LINE = re.compile(
    r"(?P<cluster>.+?)::(?P<host>(?:\d{1,3}\.){3}\d{1,3}:\d+|\[[0-9a-f:.]+\]:\d+|/[^:]*)::(?P<name>\w+)::(?P<value>.*)"
)
_LIMIT = re.compile(r"(?P<cluster>.+?)::default_priority::max_connections::(?P<value>\d+)")
_STAT = re.compile(r"(?P<name>[^\s{]+): (?P<value>\d+)")
_SAMPLE = re.compile(r"envoy_cluster_(?P<name>\w+)\{(?P<labels>[^}]*)\} (?P<value>\d+)(?:\.0+)?")


@dataclass
class Host:
    """One host of a cluster."""

    address: str
    counts: dict[str, int] = field(default_factory=dict)
    weight: float = 1.0
    priority: int = 0
    hostname: str = ""
    #: Why it is not healthy, in the words of the text form: "failed_active_hc".
    flags: frozenset[str] = frozenset()

    def of(self, name: str) -> int:
        """A figure; 0 where there is none."""
        return self.counts.get(name, 0)


@dataclass
class Cluster:
    """One cluster."""

    hosts: dict[str, Host] = field(default_factory=dict)
    #: Connections to all its hosts together, by its circuit breaker.
    most_connections: int | None = None


@dataclass(frozen=True)
class Stats:
    """What /stats says."""

    #: Of the cluster: "upstream_rq_pending_overflow" -> 546.
    cluster: Mapping[str, int] = field(default_factory=dict)
    #: ("listener" or "http", its name, "downstream_cx_total") -> 504.
    fronts: Mapping[tuple[str, str, str], int] = field(default_factory=dict)


def is_clusters(text: str) -> bool:
    """Whether it is an answer of /clusters."""
    start = text.lstrip()[:400]
    return '"cluster_statuses"' in start or bool(
        re.search(r"::(default_priority|observability_name|added_via_api)::", start)
    )


def is_stats(text: str) -> bool:
    """Whether it is an answer of /stats or /stats/prometheus."""
    start = text.lstrip()[:400]
    is_json = start.startswith("{") and '"stats"' in start and '"name"' in start
    return (
        is_json
        or "envoy_cluster_" in start
        or bool(re.match(r"(cluster|listener|http|server)\.\S+: \d", start))
    )


def uptime_of(text: str) -> float | None:
    """Seconds that Envoy runs, by /server_info; None when it does not say."""
    found = re.search(r'"uptime_current_epoch"\s*:\s*"([0-9]{1,12}(?:\.[0-9]{1,9})?)s"', text)
    return float(found[1]) if found else None


def clusters_of(text: str) -> dict[str, Cluster]:
    """The clusters of an answer of /clusters, in JSON or text. Raises NoReading for anything else."""
    if not is_clusters(text):
        raise NoReading(_NO_CLUSTERS)
    if not text.lstrip().startswith("{"):
        return _in_text(text)
    try:
        statuses = _list(_dict(json.loads(text)).get("cluster_statuses"))
    except (ValueError, RecursionError):
        raise NoReading(
            "Envoy's answer at /clusters ends in the middle or is no JSON. Sample again."
        ) from None
    return {str(one.get("name", "")): _cluster(one) for one in map(_dict, statuses)}


def _cluster(found: Mapping[str, Any]) -> Cluster:
    hosts = [_host(one) for one in map(_dict, _list(found.get("host_statuses")))]
    limits = [
        _count(one.get("max_connections"))
        for one in map(_dict, _list(_dict(found.get("circuit_breakers")).get("thresholds")))
        if one.get("priority", "DEFAULT") == "DEFAULT" and "max_connections" in one
    ]
    return Cluster({host.address: host for host in hosts if host.address}, limits[0] if limits else None)


def _host(found: Mapping[str, Any]) -> Host:
    address = _dict(found.get("address"))
    place, pipe = _dict(address.get("socket_address")), _dict(address.get("pipe"))
    host = str(place.get("address", ""))
    host = f"[{host}]" if ":" in host else host
    health = _dict(found.get("health_status"))
    flags = {flag for key, flag in _FLAGS.items() if health.get(key) is True}
    flags |= {_EDS[word] for word in [str(health.get("eds_health_status"))] if word in _EDS}
    return Host(
        address=f"{host}:{_count(place.get('port_value'))}" if host else str(pipe.get("path", "")),
        counts={
            str(one.get("name")): _count(one.get("value")) for one in map(_dict, _list(found.get("stats")))
        },
        weight=float(_count(found.get("weight", 1))),
        priority=_count(found.get("priority")),
        hostname=str(found.get("hostname", "")),
        flags=frozenset(flags),
    )


def _in_text(text: str) -> dict[str, Cluster]:
    clusters: dict[str, Cluster] = {}
    for line in text.splitlines():
        if limit := _LIMIT.fullmatch(line):
            clusters.setdefault(limit["cluster"], Cluster()).most_connections = _count(limit["value"])
        elif said := _LINE.fullmatch(line):
            hosts = clusters.setdefault(said["cluster"], Cluster()).hosts
            _say(hosts.setdefault(said["host"], Host(said["host"])), said["name"], said["value"])
    return clusters


def _say(host: Host, name: str, value: str) -> None:
    if name == "health_flags":
        host.flags = frozenset(value.strip("/").split("/")) - {"healthy", ""}
    elif name == "weight":
        host.weight = float(_count(value))
    elif name == "priority":
        host.priority = _count(value)
    elif name == "hostname":
        host.hostname = value
    else:
        host.counts[name] = _count(value)


def stats_of(text: str, backend: str) -> Stats:
    """What /stats says of a cluster and of what stands in front; nothing when it is no such answer."""
    cluster: dict[str, int] = {}
    fronts: dict[tuple[str, str, str], int] = {}
    before = f"cluster.{backend.replace(':', '_')}."
    for name, value in _stats(text, backend):
        if name.startswith(before):
            cluster[name.removeprefix(before)] = value
        elif found := re.fullmatch(r"(listener|http)\.(.+?)\.((?:ssl\.)?[a-z_]+)", name):
            kind, front, what = found.groups()
            # Those of the admin address, of Envoy's own calls, and of each thread apart.
            if front.partition(".")[0] not in ("admin", "async-client") and ".worker_" not in front:
                fronts[kind, front, what] = value
    return Stats(cluster, fronts)


def _stats(text: str, backend: str) -> Iterator[tuple[str, int]]:
    if text.lstrip().startswith("{"):
        try:
            found = _list(_dict(json.loads(text)).get("stats"))
        except (ValueError, RecursionError):
            return
        for one in map(_dict, found):
            if "name" in one and "value" in one:
                yield str(one["name"]), _count(one["value"])
        return
    for line in text.splitlines():
        if plain := _STAT.fullmatch(line):
            yield plain["name"], _count(plain["value"])
        elif (sample := _SAMPLE.fullmatch(line)) and f'envoy_cluster_name="{backend}"' in sample["labels"]:
            name = re.sub(r"^(health_check|ring_hash_lb|maglev_lb)_", r"\1.", sample["name"])
            yield f"cluster.{backend.replace(':', '_')}.{name}", _count(sample["value"])


def _dict(found: Any) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _count(found: Any) -> int:
    """Counters are numbers, or numbers as text where JSON's own have too few digits."""
    if isinstance(found, bool) or not isinstance(found, int | str):
        return 0
    return max(0, whole(str(found)[:20]) or 0)
