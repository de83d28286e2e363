"""What Caddy is told to proxy: from its running configuration (JSON), or from a Caddyfile that somebody saved.

Only what a split needs is taken: a configuration also holds passwords and keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from bot.domain.pool import Policy

_POLICIES = {
    "least_conn": Policy.LEAST_BUSY,
    "random_choose": Policy.LEAST_BUSY,
    "first": Policy.FIRST,
    **dict.fromkeys(("ip_hash", "client_ip_hash", "uri_hash", "query", "header"), Policy.HASH),
}
_HOSTPORT = "http.reverse_proxy.upstream.hostport"
#: Routes within routes that are followed.
_DEEPEST = 12
#: "quoted", `raw`, a word (placeholders have braces of their own), a brace, a comment, the end of a line.
_TOKENS = re.compile(
    r'"((?:[^"\\]|\\.)*)"|`([^`]*)`|((?:\{[^\s{}]+\}|[^\s"`{}#]|(?<=\S)#)+)|([{}])(?=\s|$)|(#[^\n]*)|(\n)'
)


@dataclass(frozen=True)
class Proxy:
    """One reverse_proxy of a site."""

    #: Host names of its site; empty when it takes any.
    hosts: Sequence[str] = ()
    #: What its server is called and listens on: "srv0", ":8080".
    places: Sequence[str] = ()
    upstreams: Sequence[str] = ()
    policy: str = "random"
    weights: Sequence[float] = ()
    #: Path of the active health check; "" without one.
    check: str = ""
    #: Failures after which a server is out for a while; 0 when they are not counted.
    failures: int = 0
    #: Requests that a server may have at a time; 0 without a limit.
    most: int = 0
    #: Whether its servers are looked up while it runs.
    is_dynamic: bool = False
    #: Field of the access log that names the server.
    log_key: str = "upstream"

    @property
    def kind(self) -> Policy:
        """How it chooses, in a pool's words."""
        return _POLICIES.get(self.policy, Policy.EVEN)

    def weight(self, upstream: str) -> float:
        """A server's weight: every policy but one treats all alike."""
        if self.policy != "weighted_round_robin" or upstream not in self.upstreams:
            return 1.0
        at = list(self.upstreams).index(upstream)
        return float(self.weights[at]) if at < len(self.weights) else 1.0

    def takes(self, host: str) -> bool:
        """Whether a request for a host is this site's."""
        return not self.hosts or any(_fits(host, wanted) for wanted in self.hosts)


def _fits(host: str, wanted: str) -> bool:
    host, wanted = host.lower(), wanted.lower()
    if wanted.startswith("*."):
        return host.partition(".")[2] == wanted[2:]
    return host == wanted


@dataclass(frozen=True)
class Proxies:
    """All of a configuration's."""

    found: Sequence[Proxy] = field(default_factory=tuple)

    def as_text(self) -> str:
        """As a sample keeps it."""
        return json.dumps([asdict(one) for one in self.found])

    @classmethod
    def of(cls, text: str) -> Self:
        """What a sample keeps; none of it when it keeps none."""
        try:
            return cls(tuple(Proxy(**one) for one in json.loads(text)))
        except (ValueError, TypeError):
            return cls()


def of_configuration(text: str) -> Proxies:
    """The proxies of a configuration in JSON, whole or from `servers` on."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Proxies()
    servers = _at(found, "apps", "http", "servers") or found
    proxies: list[Proxy] = []
    for name, server in servers.items() if isinstance(servers, dict) else ():
        listens = [str(one) for one in _list(_at(server, "listen"))]
        places = (str(name), *listens, *(f":{one.rpartition(':')[2]}" for one in listens))
        for route in _list(_at(server, "routes")):
            proxies += _of_route(route, _Within((), places, "upstream"), 0)
    return Proxies(tuple(proxies))


@dataclass(frozen=True)
class _Within:
    """What holds for a route because of those around it."""

    hosts: Sequence[str]
    places: Sequence[str]
    log_key: str


def _of_route(route: Any, within: _Within, depth: int) -> Iterator[Proxy]:
    if depth > _DEEPEST:
        return
    own = [str(host) for match in _list(_at(route, "match")) for host in _list(_at(match, "host"))]
    handlers = _list(_at(route, "handle"))
    keys = [str(_at(one, "key")) for one in handlers if _HOSTPORT in str(_at(one, "value"))]
    inside = _Within(own or within.hosts, within.places, keys[0] if keys else within.log_key)
    for handler in handlers:
        if _at(handler, "handler") == "subroute":
            for inner in _list(_at(handler, "routes")):
                yield from _of_route(inner, inside, depth + 1)
        elif _at(handler, "handler") == "reverse_proxy":
            yield _of_proxy(handler, inside)


def _of_proxy(handler: Any, within: _Within) -> Proxy:
    choice = _at(handler, "load_balancing", "selection_policy")
    active = _at(handler, "health_checks", "active")
    passive = _at(handler, "health_checks", "passive")
    return Proxy(
        hosts=tuple(within.hosts),
        places=tuple(within.places),
        upstreams=tuple(str(_at(one, "dial") or "") for one in _list(_at(handler, "upstreams"))),
        policy=str(_at(choice, "policy") or "random"),
        weights=tuple(float(one) for one in _list(_at(choice, "weights")) if isinstance(one, int | float)),
        check=str(_at(active, "uri") or _at(active, "path") or ("/" if active else ""))[:120],
        failures=_whole(_at(passive, "max_fails"), 1) if _at(passive, "fail_duration") else 0,
        most=_whole(_at(passive, "unhealthy_request_count"), 0),
        is_dynamic=bool(_at(handler, "dynamic_upstreams")),
        log_key=within.log_key,
    )


def _at(found: Any, *path: str) -> Any:
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _list(found: Any) -> list[Any]:
    return found if isinstance(found, list) else []


def _whole(found: Any, otherwise: int) -> int:
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else otherwise


def of_caddyfile(text: str) -> Proxies:
    """The proxies of a Caddyfile, as far as it can be read without Caddy: snippets and imports are not followed."""
    proxies: list[Proxy] = []
    for addresses, lines in _blocks(text):
        keys = [
            line[1] for line in lines if line[0] == "log_append" and len(line) > 2 and "hostport" in line[2]
        ]
        hosts = tuple(filter(None, (_host(one) for one in addresses)))
        places = tuple(f":{one.rpartition(':')[2]}" for one in addresses if re.search(r":\d+$", one))
        for upstreams, options in _proxies_in(lines):
            within = _Within(hosts, places, keys[0] if keys else "upstream")
            proxies.append(_of_options(within, upstreams, options))
    return Proxies(tuple(proxies))


def _blocks(text: str) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Each site's addresses, and the lines of its block; a brace that opens or ends is a word of its own."""
    head: list[str] = []
    lines: list[list[str]] = []
    depth = 0
    for line in _lines(text):
        if depth == 0 and line[-1] != "{" and "{" not in line:
            head += line
            continue
        if depth == 0:
            head += [word for word in line if word != "{"]
        else:
            lines.append(line)
        depth += line.count("{") - line.count("}")
        if depth <= 0:
            if head and not head[0].startswith("("):
                yield [word.strip(",") for word in head], lines
            head, lines, depth = [], [], 0


def _lines(text: str) -> Iterator[list[str]]:
    line: list[str] = []
    for match in _TOKENS.finditer(f"{text}\n"):
        quoted, raw, word, brace, _, end = match.groups()
        if end and line:
            yield line
            line = []
        elif not end:
            line += [one for one in (quoted, raw, word, brace) if one is not None]


def _host(address: str) -> str:
    place = address.rpartition("//")[2].partition("/")[0]
    return re.sub(r":\d+$", "", place)


def _proxies_in(lines: Sequence[Sequence[str]]) -> Iterator[tuple[list[str], dict[str, list[str]]]]:
    """The servers of each reverse_proxy, and the options of its block."""
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if line[0] != "reverse_proxy":
            continue
        upstreams = [word for word in line[1:] if word != "{" and word[0] not in "/*@"]
        options: dict[str, list[str]] = {}
        depth = line.count("{")
        while depth > 0 and at < len(lines):
            inner = lines[at]
            at += 1
            if depth == 1 and inner[0] == "to":
                upstreams += inner[1:]
            elif depth == 1 and inner[0] != "}":
                options[inner[0]] = list(inner[1:])
            depth += inner.count("{") - inner.count("}")
        yield upstreams, options


def _of_options(within: _Within, upstreams: Sequence[str], options: Mapping[str, Sequence[str]]) -> Proxy:
    policy = [word for word in options.get("lb_policy", ()) if word != "{"]
    name = policy[0] if policy else "random"
    weights = [word for word in policy[1:] if re.fullmatch(r"\d{1,6}", word)]
    check = options.get("health_uri") or options.get("health_path") or []
    failures = options.get("max_fails", ["1"])[0] if "fail_duration" in options else "0"
    most = (options.get("unhealthy_request_count") or ["0"])[0]
    return Proxy(
        hosts=within.hosts,
        places=within.places,
        upstreams=tuple(one.rpartition("//")[2] for one in upstreams),
        policy=name,
        weights=tuple(map(float, weights)) if name == "weighted_round_robin" else (),
        check=check[0][:120] if check else "",
        failures=int(failures) if failures.isdigit() else 0,
        most=int(most) if most.isdigit() else 0,
        is_dynamic="dynamic" in options,
        log_key=within.log_key,
    )
