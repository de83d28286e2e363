"""Lines of Traefik's access log, in its JSON format and in its own kind of common log format."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.balancers.answers import Answer

#: Bytes of the answers that Traefik writes itself when none comes of the server: the status in words, nothing more.
_OWN = {502: len("Bad Gateway"), 504: len("Gateway Timeout"), 499: len("Client Closed Request")}
_WORDS = re.compile(
    r'(?P<client>\S+) - \S+ \[[^\]]{1,60}\] "\S+ (?P<path>[^" ?]*)[^"]*" (?P<status>\d{3}|-) (?P<size>\d{1,15}|-) '
    r'"[^"]*" "[^"]*" \d+ "(?P<router>[^"]*)" "(?P<url>[^"]*)" (?P<ms>\d{1,12})ms'
)
_NANOSECOND = 1e-9


@dataclass(frozen=True, slots=True)
class Line:
    """One request, and by whose order it was handled; "" for what the format does not hold."""

    answer: Answer
    service: str
    router: str


def lines_of(lines: Sequence[str]) -> Iterator[Line]:
    """The requests of those lines that are Traefik's."""
    for text in lines:
        found = _of_json(text) if text.lstrip()[:1] == "{" else _of_words(text)
        if found is not None:
            yield found


def _of_json(text: str) -> Line | None:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict) or "DownstreamStatus" not in row:
        return None
    server = _text(row.get("ServiceAddr")) or host_of(row.get("ServiceURL"))
    status = _count(row.get("OriginStatus")) if server else 0
    took = _count(row.get("OriginDuration")) or _count(row.get("Duration"))
    answer = Answer(
        server,
        status or _count(row.get("DownstreamStatus")),
        took * _NANOSECOND,
        is_own=bool(server) and _OWN.get(status) == _count(row.get("OriginContentSize"), -1),
        client=_text(row.get("ClientHost")),
        path=_text(row.get("RequestPath")).partition("?")[0],
    )
    return Line(answer, _text(row.get("ServiceName")), _text(row.get("RouterName")))


def _of_words(text: str) -> Line | None:
    row = _WORDS.match(text)
    if row is None:
        return None
    server, status = host_of(row["url"]), _count(row["status"])
    own = bool(server) and _OWN.get(status) == _count(row["size"], -1)
    answer = Answer(server, status, int(row["ms"]) / 1000, own, row["client"], row["path"])
    return Line(answer, "", row["router"].strip("-"))


def host_of(url: object) -> str:
    """host:port of a server's URL; old versions log it in parts."""
    if isinstance(url, dict):
        return _text(url.get("Host"))
    return _text(url).rpartition("//")[2].partition("/")[0].strip("-")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Any, otherwise: int = 0) -> int:
    """A number as the log has it, as a number or in quotes."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value[:18])
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise
