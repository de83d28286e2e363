"""A visit: one request of a browser, read whole and bounded before any page sees it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qsl

from starlette.requests import Request

from bot.usecases.sign_in import Visitor

#: Bytes of a form: a section of a postmortem has 200,000 characters, and a letter is up to nine bytes on its way.
LARGEST_FORM = 2 * 1024 * 1024
_MOST_FIELDS = 60


class Unreadable(Exception):
    """A body that no page of ours sends. `status` is HTTP's word for it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


@dataclass(frozen=True)
class Visit:
    """What a page may know of a request."""

    method: str
    #: The path, without the query.
    path: str
    #: The path with its query, as the browser asked for it.
    asked: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    cookies: Mapping[str, str]
    #: Names in lower case.
    headers: Mapping[str, str]
    #: What stands in the path's places: {"number": 42}.
    places: Mapping[str, str | int] = field(default_factory=dict)
    #: The address the request came from.
    client: str = ""
    #: Who is signed in; None while nobody is known to be.
    visitor: Visitor | None = None

    @property
    def who(self) -> Visitor:
        """Who is signed in, on a page that is shown to nobody else."""
        assert self.visitor is not None, "site.py lets nobody else in"
        return self.visitor

    def number(self, name: str) -> int:
        """A number of the path; one that no database holds is 0, which no row has."""
        given = int(self.places[name])
        return given if given < 2**31 else 0

    def numbered(self, name: str) -> int | None:
        """A number that a field of the form or the address holds; None when it holds none."""
        given = self.form.get(name, self.query.get(name, ""))
        return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None

    def origin(self, *typed: str) -> str:
        """One sending of one form: the very same twice is one deed, other words from the same page are another."""
        words = sha256("\x00".join((self.path, *typed)).encode()).hexdigest()
        return f"web:{self.who.id}:{self.form.get('origin', '')[:40]}:{words}"


async def read_visit(request: Request) -> Visit:
    """Read a request. Raises Unreadable."""
    url = request.url
    return Visit(
        method=request.method,
        path=url.path,
        asked=f"{url.path}?{url.query}" if url.query else url.path,
        query=_fields(url.query),
        form=await _form(request) if request.method == "POST" else {},
        cookies=request.cookies,
        headers={name.lower(): value for name, value in request.headers.items()},
        places=dict(request.path_params),
        client=request.client.host if request.client else "",
    )


async def _form(request: Request) -> Mapping[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Unreadable(415, "Only a form of this site can be sent here.")
    body = await limited(request.stream(), LARGEST_FORM)
    if body is None:
        raise Unreadable(413, "That is more than a form here can hold.")
    return _fields(body.decode("utf-8", "replace"))


def _fields(text: str) -> dict[str, str]:
    """Name -> value, the last of each; without NUL, which PostgreSQL does not keep. Raises Unreadable."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise Unreadable(400, "That has more fields than any form here.") from None
    return {name: value.replace("\x00", "") for name, value in pairs}


async def limited(stream: AsyncIterable[bytes], most: int) -> bytes | None:
    """The whole of a body; None when it is larger than that, without reading the rest."""
    kept = bytearray()
    async for chunk in stream:
        kept += chunk
        if len(kept) > most:
            return None
    return bytes(kept)
