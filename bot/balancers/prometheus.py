"""Prometheus: the figures that it scraped of a balancer, by GET of its query API.

The queries are fixed; only the pool's name is put into them, as a string of PromQL. Counters are taken as they were
scraped, so that the window is from one scrape to another and a restart between them is seen.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import quote

from bot.balancers.asking import ask_http, soon
from bot.balancers.prometheus_answers import Growth, Series, series_of
from bot.balancers.prometheus_figures import EXPORTERS, ONLY_TOTALS, Exporter
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.pool import Pool, with_absent

KIND = "prometheus"
COUNTERS, GAUGES = "counters", "gauges"
#: Seconds of scrapes that are asked for: several, also of those who scrape once a minute.
_SPAN = 300


def look(balancer: Balancer, before: Sample | None = None) -> Sample:
    """One look: what is known of the pool now, and the last minutes of its counters. Raises NoReading."""
    ends_at = soon()
    gauges = _ask(balancer, _now(balancer), ends_at)
    found = series_of(gauges)
    exporter = _exporter(found)
    if exporter is None:
        raise NoReading(_nothing(balancer, found, _ask(balancer, _POOLS, ends_at)))
    counters = _ask(balancer, _scraped(exporter, balancer), ends_at)
    return Sample(time.monotonic(), {GAUGES: gauges, COUNTERS: counters})


def sniff(text: str) -> str:
    """What a text is: an answer with counters over time, or one with figures of now; "" for neither."""
    start = text.lstrip()[:2000]
    if start[:1] != "{" or '"resultType"' not in start or '"__name__"' not in start:
        return ""
    return COUNTERS if '"matrix"' in start else GAUGES if '"vector"' in start else ""


def picture(before: Sample, after: Sample, balancer: Balancer) -> Pool:
    """The pool between two samples. Raises NoReading when they do not hold it."""
    counters = series_of(after.texts.get(COUNTERS, ""))
    gauges = series_of(after.texts[GAUGES]) if GAUGES in after.texts else []
    exporter = _exporter([*gauges, *counters])
    if exporter is None:
        raise NoReading(_nothing(balancer, gauges, ""))
    since = None
    if before.texts.get(COUNTERS):
        times = [one.points[-1][0] for one in series_of(before.texts[COUNTERS]) if one.points]
        since = max(times, default=None)
    pool = exporter.build(Growth(counters, gauges, since), balancer, exporter.pool)
    wanted = dict(balancer.wanted)
    return replace(pool, servers=with_absent(pool.servers, wanted), intended=wanted)


def _ask(balancer: Balancer, query: str, ends_at: float) -> str:
    return ask_http(balancer.address, f"/api/v1/query?query={quote(query, safe='')}", ends_at)


def quoted(text: str) -> str:
    """A text as a string of PromQL, whatever it holds."""
    inner = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'


def _selector(names: Sequence[str], label: str, value: str) -> str:
    return f'{{__name__=~"{"|".join(names)}",{label}={quoted(value)}}}'


def _now(balancer: Balancer) -> str:
    """One question for what any exporter says of the pool now; of counters, for whether there are any."""
    names: dict[str, list[str]] = {}
    for one in EXPORTERS:
        names.setdefault(one.pool, []).extend((one.requests, *one.gauges))
    names["envoy_cluster_name"] += ["envoy_cluster_upstream_rq_total"]
    names["service"] += ["traefik_service_requests_total"]
    asked = [_selector(list(dict.fromkeys(those)), label, balancer.backend) for label, those in names.items()]
    if balancer.front:
        fronts = [
            name for one in EXPORTERS[:2] for name in one.gauges if name.startswith("haproxy_frontend_")
        ]
        asked += [_selector(fronts, label, balancer.front) for label in ("proxy", "frontend")]
    return " or ".join(asked)


def _scraped(exporter: Exporter, balancer: Balancer) -> str:
    value = quoted(balancer.backend)
    if balancer.front:
        # Backend and frontend stand under the same label.
        value = quoted(f"{_literal(balancer.backend)}|{_literal(balancer.front)}")
        return f'{{__name__=~"{"|".join(exporter.counters)}",{exporter.pool}=~{value}}}[{_SPAN}s]'
    return f'{{__name__=~"{"|".join(exporter.counters)}",{exporter.pool}={value}}}[{_SPAN}s]'


def _literal(text: str) -> str:
    """A text as a regular expression that fits it alone."""
    return "".join(letter if letter.isalnum() or letter in "_-:/@ " else f"\\{letter}" for letter in text)


def _exporter(found: Sequence[Series]) -> Exporter | None:
    return next(
        (
            one
            for one in EXPORTERS
            if any(series.name == one.requests and one.pool in series.labels for series in found)
        ),
        None,
    )


#: Which pools there are, by all exporters.
_TOTALS = (
    ("service", "traefik_service_requests_total"),
    ("envoy_cluster_name", "envoy_cluster_upstream_rq_total"),
)
_POOLS = " or ".join(
    f"count by ({label}) ({name})"
    for label, name in dict.fromkeys((*((one.pool, one.requests) for one in EXPORTERS), *_TOTALS))
)


def _nothing(balancer: Balancer, found: Sequence[Series], pools: str) -> str:
    for one in found:
        if one.name in ONLY_TOTALS:
            return ONLY_TOTALS[one.name]
    labels: Mapping[str, None] = {}
    if pools:
        labels = dict.fromkeys(value for one in series_of(pools) for value in one.labels.values())
    known = ", ".join(labels)[:300] or "none"
    return (
        f"Prometheus has no figures of a pool `{balancer.backend}`. Of HAProxy, nginx (Plus or VTS), Envoy and "
        f"Traefik it has: {known}."
    )
