"""Caddy: its admin address for servers, health and choice, its access log for who got what.

The admin address counts only what is in flight. Which server a request went to stands in the access log once it is
told to (`LOG_LINE`). Caddy answers a host that fits no site with 200 and an empty page: no error, and no count of it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot.balancers import answers
from bot.balancers.answers import LOG, NOTE, TROUBLE, Answer
from bot.balancers.asking import ask_http, soon
from bot.balancers.caddy_config import Proxies, Proxy, of_caddyfile, of_configuration
from bot.balancers.exposed import Exposed, exposed, only
from bot.balancers.sample import NoReading, Sample
from bot.balancers.tally import Tally
from bot.domain.catalogue import Balancer
from bot.domain.pool import Policy, Pool, Server, Standing, with_absent

KIND = "caddy"
UPSTREAMS, METRICS, PROXIES, CONFIGURATION, CADDYFILE = (
    "upstreams",
    "metrics",
    "proxies",
    "configuration",
    "Caddyfile",
)
#: What to paste into the site's block.
LOG_LINE = "log_append upstream {http.reverse_proxy.upstream.hostport}"

_REQUESTS, _HEALTHY, _BEGAN = (
    "caddy_http_requests_total",
    "caddy_reverse_proxy_upstreams_healthy",
    "process_start_time_seconds",
)
_FIGURES = (_REQUESTS, _HEALTHY, _BEGAN)
#: Requests that found no site, as their answer is counted.
_BLANK = "200"
_NO_ADMIN = (
    "What answered is not Caddy's admin address. It is http://localhost:2019 unless `admin` says otherwise; a site of "
    "Caddy answers anything that fits no site with 200 and an empty page."
)


def look(balancer: Balancer, before: Sample | None = None) -> Sample:
    """One look: the admin address, and what the log says since the look before. Raises NoReading."""
    ends_at = soon()
    texts = {UPSTREAMS: ask_http(balancer.address, "/reverse_proxy/upstreams", ends_at)}
    _upstreams(texts)
    notes = []
    try:
        servers = ask_http(balancer.address, "/config/apps/http/servers", ends_at)
        texts[PROXIES] = of_configuration(servers).as_text()
        texts[METRICS] = only(ask_http(balancer.address, "/metrics", ends_at), _FIGURES)
    except NoReading as trouble:
        # The servers and the log may still say enough.
        notes.append(trouble.sentence)
    proxies = _proxies(texts)
    mine = _mine(proxies, balancer.backend)
    log = answers.log_texts(balancer, before, lambda lines: _read(lines, mine, proxies))
    texts[NOTE] = " ".join(filter(None, (*notes, log.pop(NOTE, ""))))
    return Sample(time.monotonic(), {**texts, **log})


def sniff(text: str) -> str:
    """What a text is: an answer of the admin address, a Caddyfile or an access log; "" when it is none of Caddy's."""
    start = text.lstrip()[:65536]
    if start[:1] == "[" and '"num_requests"' in start:
        return UPSTREAMS
    if "# TYPE caddy_" in start or start.startswith("caddy_"):
        return METRICS
    if start[:1] == "{" and '"handler"' in start and '"routes"' in start:
        return CONFIGURATION
    if any(_row(line) is not None for line in start.splitlines()[:20]):
        return LOG
    return CADDYFILE if re.search(r"^\s*reverse_proxy\s", start, re.MULTILINE) and "{" in start else ""


def picture(before: Sample, after: Sample, balancer: Balancer) -> Pool:
    """The pool between two samples. Raises NoReading when they do not hold that site."""
    proxies = _proxies(after.texts)
    mine = _mine(proxies, balancer.backend)
    tally = answers.tally_between(before, after, lambda lines: _read(lines, mine, proxies))
    told = tally or Tally()
    old, new = (exposed(sample.texts.get(METRICS, ""), _FIGURES) for sample in (before, after))
    blank = told.own[_BLANK]
    lines = told.requests - blank
    arrived = max(lines, _arrived(old, new)) if len(proxies.found) < 2 else lines
    part = lines / arrived if arrived else 1.0
    refused = sum(many for status, many in told.own.items() if status.startswith("5"))
    built = _servers(after, balancer, mine, told, new)
    is_limit = bool(mine and mine.most) and any(server.standing is Standing.UP for server in built)
    if mine and mine.check and not is_limit:
        built = _out_meanwhile(built, mine, is_refused=0 < refused == lines)
    wanted = dict(balancer.wanted)
    own = answers.written_by_balancer(told, built)
    return Pool(
        kind=KIND,
        backend=balancer.backend,
        servers=with_absent(built, wanted),
        window=after.at - before.at,
        policy=mine.kind if mine else Policy.EVEN,
        algorithm=mine.policy if mine else "",
        is_pinned=mine.policy == "cookie" if mine else told.is_pinned(),
        arrived=arrived,
        own_errors=round((own - (refused if is_limit else 0)) / part) if tally is not None and part else None,
        own_errors_why="it has no server that it may use" if told.own["503"] else "",
        overflowed=round(refused) if is_limit else 0,
        unmatched=blank,
        unmatched_with="with 200 and an empty page",
        check_asks=f"GET {mine.check}" if mine and mine.check else "",
        intended=wanted,
        is_restarted=_is_restarted(old, new),
        split_untold=_untold(balancer, after, tally, built, arrived),
        keys=told.keys,
        note=_note(after, mine, arrived + blank),
    )


def _upstreams(texts: Mapping[str, str]) -> dict[str, Mapping[str, Any]]:
    """Address -> what the admin address says of it. Raises NoReading when it is not Caddy's."""
    if UPSTREAMS not in texts:
        return {}
    try:
        found = json.loads(texts[UPSTREAMS])
    except (ValueError, RecursionError):
        found = None
    # A Caddy without a reverse_proxy answers null or [].
    if texts[UPSTREAMS].strip() == "null":
        found = []
    if not isinstance(found, list) or not all(
        isinstance(one, dict) and "num_requests" in one for one in found
    ):
        raise NoReading(_NO_ADMIN)
    return {str(one.get("address", "")): one for one in found}


def _proxies(texts: Mapping[str, str]) -> Proxies:
    if PROXIES in texts:
        return Proxies.of(texts[PROXIES])
    if CONFIGURATION in texts:
        return of_configuration(texts[CONFIGURATION])
    return of_caddyfile(texts.get(CADDYFILE, ""))


def _mine(proxies: Proxies, backend: str) -> Proxy | None:
    """The proxy that the catalogue means, by host, address or server; None when nothing of any is known."""
    found = [
        one
        for one in proxies.found
        if (one.hosts and one.takes(backend)) or backend in one.places or backend in one.upstreams
    ]
    if len(found) == 1 or len(proxies.found) < 2:
        return next(iter(found or proxies.found), None)
    sites = dict.fromkeys(name for one in found or proxies.found for name in (one.hosts or one.places[-1:]))
    known = ", ".join(sites)[:300]
    if found:
        servers = ", ".join(filter(None, ("".join(one.upstreams[:1]) for one in found)))[:300]
        raise NoReading(
            f"Caddy proxies `{backend}` in several ways. Name a server of the one that is meant as backend: {servers}."
        )
    raise NoReading(
        f"Caddy has no site `{backend}` with a reverse_proxy, and answers what fits no site with 200 and an empty "
        f"page. It has: {known}."
    )


def _row(line: str) -> Mapping[str, Any] | None:
    """A line of Caddy's access log; None for anything else."""
    at = line.find("{")
    try:
        found = json.loads(line[at:]) if at >= 0 and '"resp_headers"' in line else None
    except (ValueError, RecursionError):
        return None
    is_ours = isinstance(found, dict) and isinstance(found.get("request"), dict) and "status" in found
    return found if is_ours else None


def _read(lines: Sequence[str], mine: Proxy | None, proxies: Proxies) -> tuple[int, list[Answer]]:
    """The answers of a site, and how many lines are about it."""
    understood, ours = 0, []
    for row in filter(None, map(_row, lines)):
        host = re.sub(r":\d+$", "", str(row["request"].get("host", "")))
        answer = _answer(row, mine.log_key if mine else "upstream")
        is_known = any(one.takes(host) for one in proxies.found) or not proxies.found
        is_blank = answer.status == 200 and not answer.server and _is_blank(row)
        if is_blank and (mine is None or not mine.hosts or not is_known):
            understood += 1
            ours.append(answer)
        elif mine is None or mine.takes(host):
            understood += 1
            if answer.server and mine and mine.upstreams and not mine.is_dynamic:
                # Another proxy of the same site.
                ours += [answer] if answer.server in mine.upstreams else []
            elif answer.server or (answer.status >= 500 and answer.is_own):
                ours.append(answer)
    return understood, ours


def _answer(row: Mapping[str, Any], key: str) -> Answer:
    server, status, took = row.get(key), row["status"], row.get("duration")
    request = row["request"]
    return Answer(
        server if isinstance(server, str) else "",
        status if isinstance(status, int) else 0,
        float(took) if isinstance(took, int | float) and took >= 0 else 0.0,
        is_own=_is_own(row),
        client=str(request.get("client_ip") or request.get("remote_ip") or ""),
        path=str(request.get("uri", "")).partition("?")[0],
    )


def _is_own(row: Mapping[str, Any]) -> bool:
    """Whether Caddy wrote the answer: an error of its own has no page, and no header but Caddy's name."""
    headers = row["resp_headers"]
    names = {str(name).lower() for name in headers} if isinstance(headers, dict) else {"?"}
    return row["status"] in (499, 502, 503, 504) and not names - {"server", "alt-svc"} and not row.get("size")


def _is_blank(row: Mapping[str, Any]) -> bool:
    headers = row["resp_headers"]
    names = {str(name).lower() for name in headers} if isinstance(headers, dict) else {"?"}
    return (
        not names - {"server", "alt-svc"} and not row.get("size") and row["request"].get("method") != "HEAD"
    )


def _servers(
    after: Sample, balancer: Balancer, mine: Proxy | None, told: Tally, new: Exposed
) -> list[Server]:
    known = _upstreams(after.texts)
    healthy = {labels.get("upstream", ""): value for labels, value in new.of(_HEALTHY)}
    if mine and mine.upstreams and not mine.is_dynamic:
        addresses = list(dict.fromkeys(mine.upstreams))
    else:
        addresses = sorted({*([] if mine and mine.is_dynamic else known), *told.servers})
    built, by_log = [], answers.Told(told)
    for address in addresses:
        about = known.get(address, {})
        busy = about.get("num_requests")
        built.append(
            replace(
                by_log.server(balancer.name_of(address), address),
                standing=_standing(mine, about, healthy.get(address)),
                weight=mine.weight(address) if mine else None,
                has_check=bool(mine.check) if mine else None,
                busy=busy if isinstance(busy, int) else None,
                busy_limit=(mine.most or None) if mine else None,
            )
        )
    return built


def _standing(mine: Proxy | None, about: Mapping[str, Any], healthy: float | None) -> Standing:
    fails = about.get("fails")
    failed = fails if isinstance(fails, int) else 0
    if failed and failed >= (mine.failures if mine else 1) > 0:
        return Standing.EJECTED
    if healthy == 0:
        return Standing.DOWN if mine is None or mine.check else Standing.EJECTED
    return Standing.UP


def _out_meanwhile(servers: list[Server], mine: Proxy, *, is_refused: bool) -> list[Server]:
    """The figure of health is up to ten seconds old: who gets nothing though its turn came ten times is out by now."""
    if mine.kind is not Policy.EVEN or mine.policy == "cookie":
        return [replace(one, standing=Standing.DOWN) for one in servers] if is_refused else servers
    whole = sum(server.requests for server in servers)
    turns = sum(server.weight or 0.0 for server in servers) or 1.0

    def is_out(one: Server) -> bool:
        return not one.requests and (is_refused or whole * (one.weight or 0.0) / turns >= 10)

    return [
        replace(one, standing=Standing.DOWN) if one.is_in_rotation and is_out(one) else one for one in servers
    ]


def _arrived(old: Exposed, new: Exposed) -> int:
    """Requests that Caddy counted, which it does for each handler: the busiest handler's."""
    grown: dict[str, float] = {}
    for sign, one in ((1, new), (-1, old)):
        for labels, value in one.of(_REQUESTS):
            handler = labels.get("handler", "")
            grown[handler] = grown.get(handler, 0.0) + sign * value
    return max(0, round(max(grown.values(), default=0.0)))


def _is_restarted(old: Exposed, new: Exposed) -> bool:
    if not old.values:
        return False
    began = [next((value for _, value in one.of(_BEGAN)), 0.0) for one in (old, new)]
    return began[0] != began[1] or new.sum(_REQUESTS) < old.sum(_REQUESTS)


def _untold(
    balancer: Balancer, after: Sample, tally: Tally | None, servers: Sequence[Server], arrived: int
) -> str:
    if tally is None:
        return after.texts.get(TROUBLE, "").rstrip(".") or (
            "Caddy counts only what is in flight, and only its access log tells the server. Put "
            f"`log {{ output file /var/log/caddy/access.log }}` and `{LOG_LINE}` into the site, and the log into the "
            "catalogue (log: file:/var/log/caddy/access.log)"
        )
    lines = sum(server.requests for server in servers)
    if tally.lines >= 20 and not tally.understood:
        return f"{balancer.log or 'the log'} holds no line about this site in JSON. Write `log {{ format json }}`"
    if tally.understood >= 20 and not lines + sum(tally.own.values()):
        return f"the access log does not tell the server. Put this line into the site's block: `{LOG_LINE}`"
    up = sum(1 for server in servers if server.is_in_rotation)
    if up > 1 and lines + sum(tally.own.values()) < arrived and answers.is_blurred(up, lines):
        return answers.too_few(lines)
    return ""


def _note(after: Sample, mine: Proxy | None, seen: int) -> str:
    note = after.texts.get(NOTE, "")
    if not seen and mine and mine.hosts:
        note += (
            f" Nothing came to this site ({', '.join(mine.hosts)[:200]}). Caddy answers a host that fits no site with "
            "200 and an empty page, and counts it nowhere: compare the host that clients ask for."
        )
    return note.strip()
