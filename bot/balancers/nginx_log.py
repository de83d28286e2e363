"""Lines of an nginx access log as requests: which servers each tried, and what they said.

Formats differ, so which field says what is learned from many lines together: the upstream's address is the field that
holds addresses of servers, the others are known by their keys, or stand where they must.

One request can try several servers. nginx then lists them: "a, b" within a group, "a : b" after an internal redirect,
and in place of a server the group's own name when none was left to ask (ngx_http_upstream_module, $upstream_addr).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.balancers.log_fields import Fields, fields

#: What to paste where a log does not say which server answered.
EXAMPLE = (
    'log_format lantern escape=json \'{"status":"$status","request":"$request_method $uri","client":"$remote_addr",'
    '"proxy_host":"$proxy_host","upstream_addr":"$upstream_addr","upstream_status":"$upstream_status",'
    '"upstream_response_time":"$upstream_response_time","upstream_connect_time":"$upstream_connect_time",'
    '"upstream_header_time":"$upstream_header_time"}\';'
)
#: Lines that the format is learned from, and servers that one request may have tried.
_LEARNED_FROM, _MOST_TRIES = 500, 50

_ADDRESS = re.compile(r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:.]+\]):\d{1,5}|unix:/\S+")
_STATUS = re.compile(r"[0-9]{3}|-")
_TIME = re.compile(r"[0-9]{1,9}\.[0-9]{3}|-")
_REQUEST = re.compile(r"[A-Z]{3,12} \S+ HTTP/[\d.]+")
_PATH = re.compile(r"(?:[A-Z]{3,12} )?(?:https?://[^/\s]+)?(/[^\s?]*)")

_ADDRESS_KEYS = (
    "upstreamaddr",
    "upstreamaddress",
    "upstream",
    "upstreamserver",
    "ua",
    "backend",
    "backendaddr",
)
_STATUS_KEYS = ("status", "statuscode", "responsestatus", "responsecode", "httpstatus", "code", "st")
_REQUEST_KEYS = ("uri", "requesturi", "path", "url", "requestpath", "request", "req", "httprequest")
_CLIENT_KEYS = ("remoteaddr", "client", "clientip", "clientaddr", "ip", "remoteip", "remote", "remotehost")
_HOST_KEYS = ("host", "httphost", "servername", "vhost", "domain", "server", "virtualhost")
_GROUP_KEYS = ("proxyhost", "upstreamname", "proxyupstreamname", "upstreamgroup", "backendname", "pool")
#: How the keys begin that speak of servers.
_BEHIND = ("upstream", "backend", "proxy", "origin")
#: Fields whose addresses are not those of servers behind nginx.
_BEFORE = re.compile(r"client|remote|forward|realip|peer|listen|serveraddr|refer|^host|httphost|agent")


@dataclass(frozen=True, slots=True)
class Try:
    """One server that was asked. None means that the log does not say."""

    #: The server's, or the group's name when there was no server to ask.
    address: str
    status: int | None
    #: Seconds until it had answered, or until nginx gave up.
    seconds: float | None
    #: Whether the connection came about, and whether an answer began; seconds until it did.
    is_connected: bool | None
    has_header: bool | None
    first: float | None = None

    @property
    def is_server(self) -> bool:
        """Whether a server was asked at all."""
        return is_address(self.address)


@dataclass(frozen=True, slots=True)
class Line:
    """One request."""

    tries: tuple[Try, ...]
    #: What the client was answered.
    status: int | None
    path: str
    client: str
    host: str
    #: The upstream's name; "" when it is not logged.
    group: str


@dataclass(frozen=True)
class Layout:
    """Which field says what; "" for what the format does not hold."""

    address: str
    upstream_status: str
    time: str
    connect: str
    header: str
    status: str
    request: str
    client: str
    host: str
    group: str


def is_address(text: str) -> bool:
    """Whether it is a server's address and not a group's name."""
    return bool(_ADDRESS.fullmatch(text))


def requests(lines: Sequence[str], backend: str) -> Iterator[Line]:
    """The requests of those lines that have a place for upstream servers. `backend` is the upstream's name."""
    read = [found for found in map(fields, lines) if found]
    layout = _Learning(read[:_LEARNED_FROM], backend).layout()
    if layout is not None:
        for found in read:
            if layout.address in found:
                yield _request(found, layout)


class _Learning:
    """Finding out which field says what."""

    def __init__(self, read: Sequence[Fields], backend: str) -> None:
        self._read, self._backend = read, backend
        self._plain = {
            key: re.sub(r"[^a-z0-9]", "", key.lower()) if key[0] != "#" else key
            for key in dict.fromkeys(key for found in read for key in found if key)
        }

    def layout(self) -> Layout | None:
        """The layout; None when no field holds upstream servers."""
        address = self._address()
        if not address:
            return None
        request = self._named(_REQUEST_KEYS) or self._where(self._read, _REQUEST.fullmatch)
        status = self._named(_STATUS_KEYS) or self._after(request)
        asked = [found for found in self._read if _is_asked(found.get(address, ""))]
        is_placed = address[0] == "#"
        statuses = self._where(asked, _are_statuses, address, status) if is_placed else ""
        times = self._where(asked, _are_times, address, statuses) if is_placed else ""
        return Layout(
            address=address,
            upstream_status=self._behind(("status", "statuscode", "code"), ("us", "ust", "ustatus"))
            or statuses,
            time=self._behind(("responsetime", "resptime", "time", "rt", "duration"), ("ut", "urt", "utime"))
            or times,
            connect=self._behind(("connecttime", "connect"), ("uc", "uct")),
            header=self._behind(("headertime", "header"), ("uh", "uht")),
            status=status,
            request=request,
            client=self._named(_CLIENT_KEYS) or ("#0" if request[:1] == "#" else ""),
            host=self._named(_HOST_KEYS),
            group=self._named(_GROUP_KEYS) or self._group(address),
        )

    def _named(self, wanted: Iterable[str]) -> str:
        return next((key for name in wanted for key in self._plain if name in self._names(key)), "")

    def _names(self, key: str) -> tuple[str, ...]:
        """What a key is called: "http.status" is also "status", and "upstream.status" is not."""
        plain = self._plain[key]
        if "." not in key or plain.startswith(_BEHIND):
            return (plain,)
        return plain, re.sub(r"[^a-z0-9]", "", key.rpartition(".")[2].lower())

    def _behind(self, words: Sequence[str], short: Sequence[str]) -> str:
        """The key of an upstream's figure: `upstream_status`, `backend.code`, `us`."""
        for word in words:
            for key, plain in self._plain.items():
                if plain.startswith(_BEHIND) and plain.endswith(word):
                    rest = plain.removesuffix(word)
                    if not re.search(r"connect|header|start|cache", rest):
                        return key
        return self._named(short)

    def _address(self) -> str:
        held = {key: sum(1 for found in self._read if _is_asked(found.get(key, ""))) for key in self._plain}
        held = {key: many for key, many in held.items() if many and not _BEFORE.search(self._plain[key])}
        if held:
            return max(held, key=lambda key: ("upstream" in self._plain[key], key[0] != "#", held[key]))
        # Not one server was asked: then the key must say what it is, or hold the group's name.
        for name in _ADDRESS_KEYS:
            for key, plain in self._plain.items():
                values = {found.get(key, "") for found in self._read}
                if plain == name and (plain.startswith("upstream") or self._backend in values):
                    return key
        return ""

    def _group(self, address: str) -> str:
        """A field that holds the upstream's name, beside the one that holds addresses."""
        for key in self._plain:
            if self._backend and key != address and any(f.get(key, "") == self._backend for f in self._read):
                return key
        return ""

    def _after(self, key: str) -> str:
        """The word behind one without a key."""
        return f"#{int(key[1:]) + 1}" if key[:1] == "#" else ""

    def _where(
        self, read: Sequence[Fields], fits: Callable[[str], object], near: str = "", but: str = ""
    ) -> str:
        """The word without a key that always fits; of several the first behind `near`, else the last before it."""
        places = [int(key[1:]) for key in self._plain if key[0] == "#" and key not in (near, but)]
        # One line in ten may be of another format.
        enough = max(1.0, 0.9 * len(read))
        fitting = [at for at in places if sum(1 for found in read if fits(found.get(f"#{at}", ""))) >= enough]
        middle = int(near[1:]) if near else 0
        behind = [at for at in fitting if at > middle or not near]
        found = min(behind, default=max(fitting, default=-1))
        return f"#{found}" if found >= 0 else ""


def _listed(value: str) -> list[str]:
    """The entries of "a, b : c"."""
    return [one.strip() for one in value.replace(" : ", ",").split(",", _MOST_TRIES)[:_MOST_TRIES]]


def _is_asked(value: str) -> bool:
    return (":" in value) and any(map(is_address, _listed(value)))


def _are_statuses(value: str) -> bool:
    return all(map(_STATUS.fullmatch, _listed(value)))


def _are_times(value: str) -> bool:
    return all(map(_TIME.fullmatch, _listed(value)))


def _request(found: Fields, layout: Layout) -> Line:
    value = found.get(layout.address, "")
    addresses = [one for one in _listed(value) if one and one != "-"]
    columns = [
        _listed(found.get(key, "")) if key else []
        for key in (layout.upstream_status, layout.time, layout.connect, layout.header)
    ]
    status = _status(found.get(layout.status, "")) if layout.status else None
    tries = []
    for at, address in enumerate(addresses):
        said, time, connect, header = (column[at] if at < len(column) else None for column in columns)
        answered = _status(said or "")
        if not layout.upstream_status:
            # What went to the client came from the last server; the others were passed over.
            answered = status if at == len(addresses) - 1 else 502
        tries.append(
            Try(address, answered, _seconds(time), _is_known(connect), _is_known(header), _seconds(header))
        )
    path = _PATH.match(found.get(layout.request, ""))
    return Line(
        tuple(tries),
        status,
        path[1] if path else "",
        found.get(layout.client, ""),
        found.get(layout.host, ""),
        found.get(layout.group, ""),
    )


def _status(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{3}", text) else None


def _seconds(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", text) else None


def _is_known(time: str | None) -> bool | None:
    """Whether a moment came about: nginx writes "-" for the time of what did not happen."""
    if time is None or time == "":
        return None
    return _seconds(time) is not None
