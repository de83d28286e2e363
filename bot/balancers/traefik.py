"""Traefik: its API for weights and states, its /metrics for totals, its access log for who got what.

Traefik counts requests by service and not by server, so without the log the split is not known. An answer that it
wrote itself, since none came of the server, looks like the server's in every count; the log gives it away by its size.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from bot.balancers import answers
from bot.balancers.answers import LOG, NOTE, TROUBLE, Answer
from bot.balancers.asking import ask_http, soon
from bot.balancers.exposed import Exposed, Labels, exposed, only
from bot.balancers.sample import NoReading, Sample
from bot.balancers.tally import Tally
from bot.balancers.traefik_api import (
    Service,
    check_of,
    children_of,
    choice_of,
    is_called,
    named,
    servers_of,
    services_of,
    standing_of,
    weight_of,
    without_secrets,
)
from bot.balancers.traefik_log import host_of, lines_of
from bot.domain.catalogue import Balancer
from bot.domain.pool import Front, Pool, Server, Standing, with_absent

KIND = "traefik"
SERVICES, METRICS = "services", "metrics"

_SERVED, _ROUTED, _ENTERED = (
    "traefik_service_requests_total",
    "traefik_router_requests_total",
    "traefik_entrypoint_requests_total",
)
_SECONDS, _TIMED = (
    "traefik_service_request_duration_seconds_sum",
    "traefik_service_request_duration_seconds_count",
)
_UP, _OPEN, _BEGAN = "traefik_service_server_up", "traefik_open_connections", "process_start_time_seconds"
_FIGURES = (_SERVED, _ROUTED, _ENTERED, _SECONDS, _TIMED, _UP, _OPEN, _BEGAN)
#: Services that a weighted one is split over and that are asked for, at most.
_MOST_CHILDREN = 20

_NO_LOG = (
    "Traefik counts requests by service and not by server, and only its access log tells the server. Switch it on "
    "(accessLog: {filePath: /var/log/traefik/access.log, format: json}) and name it in the catalogue "
    "(log: file:/var/log/traefik/access.log)"
)


def look(balancer: Balancer, before: Sample | None = None) -> Sample:
    """One look: the service by the API, the metrics, and what the log says since the look before. Raises NoReading."""
    ends_at = soon()
    services = _asked(balancer, ends_at)
    mine = named(services, balancer.backend)
    texts = {SERVICES: json.dumps([without_secrets(one) for one in services])}
    try:
        texts[METRICS] = only(ask_http(balancer.address, "/metrics", ends_at), _FIGURES)
    except NoReading as trouble:
        # The log may still say enough.
        texts[NOTE] = trouble.sentence
    log = answers.log_texts(balancer, before, lambda lines: _read(lines, mine))
    texts[NOTE] = " ".join(filter(None, (texts.get(NOTE, ""), log.pop(NOTE, ""))))
    return Sample(time.monotonic(), {**texts, **log})


def sniff(text: str) -> str:
    """What a text is: the API's services, the metrics, or the access log; "" when it is none of Traefik's."""
    start = text.lstrip()[:65536]
    if "traefik_" in start and ("# TYPE traefik_" in start or start.startswith("traefik_")):
        return METRICS
    if start[:1] in "[{" and (
        '"serverStatus"' in start or '"loadBalancer"' in start or '"weighted"' in start
    ):
        return SERVICES
    return LOG if any(True for _ in lines_of(start.splitlines()[:20])) else ""


def picture(before: Sample, after: Sample, balancer: Balancer) -> Pool:
    """The pool between two samples. Raises NoReading when they do not hold that service."""
    mine = named(services_of(after.texts.get(SERVICES, "")), balancer.backend)
    old, new = (exposed(sample.texts.get(METRICS, ""), _FIGURES) for sample in (before, after))
    if "weighted" in mine:
        return _split_over_services(before, after, balancer, mine, _Growth(old, new))
    return _split_over_servers(before, after, balancer, mine, _Growth(old, new))


class _Growth:
    """What the counters grew by between two looks."""

    def __init__(self, old: Exposed, new: Exposed) -> None:
        self._old, self._new = old, new
        began = [dict(enumerate(one.of(_BEGAN))).get(0, ({}, 0.0))[1] for one in (old, new)]
        fell = any(new.sum(name) < old.sum(name) for name in (_SERVED, _ROUTED, _ENTERED))
        self.is_restarted = bool(old.values) and (fell or (0.0 < began[0] != began[1]))

    def of(self, name: str, code: str = "", **wanted: str) -> float:
        """A counter's growth, for those labels and for codes that begin so."""

        def fits(labels: Labels) -> bool:
            is_wanted = all(labels.get(label) == value for label, value in wanted.items() if value)
            return is_wanted and labels.get("code", "").startswith(code)

        return max(0.0, self._new.sum(name, fits) - (0.0 if self.is_restarted else self._old.sum(name, fits)))

    def has(self, name: str) -> bool:
        """Whether the counter is exposed at all."""
        return bool(self._new.of(name))

    def now(self, name: str) -> Sequence[tuple[Labels, float]]:
        """A figure's values at the end."""
        return self._new.of(name)


def _asked(balancer: Balancer, ends_at: float) -> list[Service]:
    """The services whose names hold the backend's, and those that it is split over."""
    name = balancer.backend.partition("@")[0]
    found = services_of(_ask(balancer, name, ends_at))
    if not any(is_called(one, balancer.backend) for one in found):
        # Without the search, to name those that there are.
        found = services_of(_ask(balancer, "", ends_at))
    children = children_of(named(found, balancer.backend))
    for child in list(children)[:_MOST_CHILDREN]:
        if not any(one.get("name") == child for one in found):
            found += services_of(_ask(balancer, child.partition("@")[0], ends_at))
    return found


def _ask(balancer: Balancer, search: str, ends_at: float) -> str:
    return ask_http(balancer.address, f"/api/http/services?per_page=1000&search={quote(search)}", ends_at)


def _read(lines: Sequence[str], mine: Service) -> tuple[int, list[Answer]]:
    """The answers of a service: by its name, else by its router, else by its servers' addresses."""
    names = {str(mine["name"]), *children_of(mine)}
    used = mine.get("usedBy")
    routers = {str(one) for one in used} if isinstance(used, list) else set()
    hosts = {host_of(one.get("url")) for one in servers_of(mine)}
    understood, ours = 0, []
    for line in lines_of(lines):
        understood += 1
        if line.service:
            is_ours = line.service in names
        elif line.answer.server:
            is_ours = line.answer.server in hosts and (
                not line.router or not routers or line.router in routers
            )
        else:
            is_ours = line.router in routers
        if is_ours:
            ours.append(line.answer)
    return understood, ours


def _states(name: str, grown: _Growth) -> dict[str, float]:
    return {labels.get("url", ""): value for labels, value in grown.now(_UP) if labels.get("service") == name}


def _split_over_servers(
    before: Sample, after: Sample, balancer: Balancer, mine: Service, grown: _Growth
) -> Pool:
    name = str(mine["name"])
    balanced = mine["loadBalancer"]
    tally = answers.tally_between(before, after, lambda lines: _read(lines, mine))
    told = tally or Tally()
    states = _states(name, grown)
    has_check = isinstance(balanced.get("healthCheck"), dict)
    by_log = answers.Told(told)
    built = []
    for row in servers_of(mine):
        host = host_of(row.get("url"))
        standing = standing_of(mine, row, states)
        one = by_log.server(balancer.name_of(host), host)
        built.append(replace(one, standing=standing, weight=weight_of(row), has_check=has_check))
    routed, served = grown.of(_ROUTED, service=name), grown.of(_SERVED, service=name)
    arrived = max(round(routed or served), told.requests)
    # Of a busy log only a part is read.
    part = told.requests / arrived if arrived else 1.0
    if routed and tally is not None:
        built = _with_hidden_tries(built, (served - routed) * part)
    wanted = dict(balancer.wanted)
    own = answers.written_by_balancer(told, built)
    return Pool(
        kind=KIND,
        backend=balancer.backend,
        servers=with_absent(built, wanted),
        window=after.at - before.at,
        fronts=_fronts(balancer, grown),
        arrived=arrived,
        own_errors=round(own / part) if tally is not None and part else None,
        own_errors_why=_why(told),
        errors=round(grown.of(_SERVED, service=name, code="5")) if grown.has(_SERVED) else None,
        check_asks=check_of(balanced),
        intended=wanted,
        is_restarted=grown.is_restarted,
        split_untold=_untold(balancer, after, tally, built, arrived),
        keys=told.keys,
        note=after.texts.get(NOTE, ""),
        **choice_of(balanced),
        **_unmatched(balancer, grown),
    )


def _with_hidden_tries(servers: list[Server], hidden: float) -> list[Server]:
    """Tries that failed and were repeated stand in no line of the log, but the service counts each of them.

    They are those of the servers that are up and of which no line speaks.
    """
    silent = [s for s in servers if s.standing is Standing.UP and s.weight and not s.requests]
    whole = sum(server.requests for server in servers)
    if not silent or hidden < max(5.0, 0.02 * whole):
        return servers
    each = round(hidden / len(silent))
    return [replace(one, requests=each, unreached=each) if one in silent else one for one in servers]


def _untold(
    balancer: Balancer, after: Sample, tally: Tally | None, servers: Sequence[Server], arrived: int
) -> str:
    if tally is None:
        return after.texts.get(TROUBLE, "").rstrip(".") or _NO_LOG
    if tally.lines >= 20 and not tally.understood:
        return (
            f"{balancer.log or 'the log'} is no access log of Traefik in its JSON or common format. Write "
            "accessLog: {format: json}"
        )
    lines = sum(server.requests for server in servers)
    up = sum(1 for server in servers if server.is_in_rotation)
    if arrived > lines and up > 1 and lines + sum(tally.own.values()) < arrived:
        return answers.too_few(lines) if answers.is_blurred(up, lines) else ""
    return ""


def _why(tally: Tally) -> str:
    return "it has no server that it may use" if tally.own.get("503") else ""


def _unmatched(balancer: Balancer, grown: _Growth) -> dict[str, Any]:
    """Requests that no router wanted: 404 at the entry points and not at the routers, where both are counted."""
    if not grown.has(_ROUTED) or not grown.has(_ENTERED):
        return {}
    entered = grown.of(_ENTERED, code="404", entrypoint=balancer.front)
    return {
        "unmatched": max(0, round(entered - grown.of(_ROUTED, code="404"))),
        "unmatched_with": "404",
    }


def _fronts(balancer: Balancer, grown: _Growth) -> tuple[Front, ...]:
    opened: dict[str, int] = {}
    for labels, value in grown.now(_OPEN):
        name = labels.get("entrypoint", "")
        if name != "traefik" and (not balancer.front or name == balancer.front):
            opened[name] = opened.get(name, 0) + int(value)
    return tuple(Front(f"the entry point {name}", busy=busy) for name, busy in opened.items())


def _split_over_services(
    before: Sample, after: Sample, balancer: Balancer, mine: Service, grown: _Growth
) -> Pool:
    """The pool of a weighted service: its servers are services, which Traefik counts."""
    services = {str(one["name"]): one for one in services_of(after.texts.get(SERVICES, ""))}
    children = children_of(mine)
    provider = str(mine["name"]).rpartition("@")[2]
    built = []
    for name, weight in children.items():
        requests, timed = grown.of(_SERVED, service=name), grown.of(_TIMED, service=name)
        built.append(
            Server(
                name=balancer.name_of(name.removesuffix(f"@{provider}")),
                requests=round(requests),
                standing=_standing_of_all(services.get(name), grown),
                weight=weight,
                errors=round(grown.of(_SERVED, service=name, code="5")),
                answers=round(requests),
                latency=1000 * grown.of(_SECONDS, service=name) / timed if timed else None,
            )
        )
    sizes = [len(servers_of(services.get(name, {"name": name}))) for name in children]
    wanted = dict(balancer.intended) or _by_size(built, sizes)
    weighted = mine["weighted"]
    routed = round(grown.of(_ROUTED, service=str(mine["name"])))
    return Pool(
        kind=KIND,
        backend=balancer.backend,
        servers=with_absent(built, wanted),
        window=after.at - before.at,
        fronts=_fronts(balancer, grown),
        arrived=max(routed, sum(server.requests for server in built)),
        own_errors=None,
        intended=wanted,
        is_restarted=grown.is_restarted,
        split_untold=""
        if METRICS in after.texts
        else "Traefik's metrics are not switched on (metrics.prometheus)",
        compared="the services that it is split over, and fair is what their number of servers says",
        note=after.texts.get(NOTE, ""),
        **choice_of(weighted),
        **_unmatched(balancer, grown),
    )


def _standing_of_all(service: Service | None, grown: _Growth) -> Standing:
    servers = servers_of(service) if service else []
    states = _states(str(service["name"]), grown) if service else {}
    is_down = bool(service and servers) and all(
        standing_of(service or {}, one, states) is Standing.DOWN for one in servers
    )
    return Standing.DOWN if is_down else Standing.UP


def _by_size(servers: Sequence[Server], sizes: Sequence[int]) -> dict[str, float]:
    """Each service's part by its servers; one at weight 0 waits for its turn, as blue waits for green."""
    wanted = {
        server.name: float(size)
        for server, size in zip(servers, sizes, strict=True)
        if server.weight and size
    }
    return wanted if len(wanted) == sum(1 for server in servers if server.weight) else {}
