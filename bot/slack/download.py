"""Fetching a file's bytes from Slack: with the token, so from Slack's own servers and from nowhere else."""

from __future__ import annotations

import time
from http.client import HTTPException, HTTPMessage
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from bot.domain.outcomes import RateLimited, Refused, Unknown, Unreachable

#: Seconds: for one answer of the server, and for the whole file.
_TIMEOUT, _LONGEST = 8.0, 15.0
_PIECE = 64 * 1024
_PORTS = {"https": 443, "http": 80}


class TooLarge(Exception):
    """The file has more bytes than are wanted."""


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would take the token along. Slack redirects to its sign-in page what it refuses."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def is_slacks(url: str, api_url: str) -> bool:
    """Whether an address is of the host that the Web API has, or below it: files.slack.com for slack.com."""
    try:
        there, api = urlsplit(url), urlsplit(api_url)
        is_same_door = there.scheme == api.scheme and _port(there) == _port(api)
    except ValueError:
        return False
    host, home = there.hostname or "", api.hostname or ""
    is_home = host == home or host.endswith(f".{home}")
    return bool(home) and is_same_door and is_home and there.username is None and there.password is None


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)


def fetched(url: str, token: str, *, api_url: str, most: int) -> bytes:
    """The bytes at an address of Slack's. Harmless when repeated.

    Raises TooLarge above `most` bytes, Refused when Slack does not give them (or the address is not Slack's),
    RateLimited, and Unreachable or Unknown for troubles that pass.
    """
    if not is_slacks(url, api_url):
        raise Refused("not_slacks_address", "The file is kept on a server that is not Slack's.")
    # Names that are not ASCII come as they are now and then; what is quoted already stays.
    asked = quote(url, safe="%/:=&?~#+!$,;'@()*[]")
    request = Request(asked, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 (checked above)
    until = time.monotonic() + _LONGEST
    try:
        with build_opener(_NoRedirect()).open(request, timeout=_TIMEOUT) as answer:
            if int(answer.headers.get("Content-Length") or 0) > most:
                raise TooLarge
            kept = bytearray()
            while piece := answer.read1(_PIECE):
                kept += piece
                if len(kept) > most:
                    raise TooLarge
                if time.monotonic() > until:
                    raise Unknown(f"a file took longer than {_LONGEST:g} s")
            if answer.length:
                raise Unknown("a file broke off")
            return bytes(kept)
    except HTTPError as error:
        with error:
            raise _outcome(error) from None
    except URLError as error:
        raise Unreachable(f"a file: {error.reason}"[:300]) from None
    except (OSError, HTTPException, ValueError) as error:
        raise Unknown(f"a file: {type(error).__name__}: {error}"[:300]) from None


def _outcome(error: HTTPError) -> RateLimited | Refused | Unknown:
    if error.code == 429:
        said = error.headers.get("Retry-After") or ""
        return RateLimited("files-pri", float(min(int(said), 900)) if said.isdecimal() else 5.0)
    if error.code >= 500:
        return Unknown(f"a file: the server answered {error.code}")
    if 300 <= error.code < 400:
        # What it does for a token that may not read the file.
        return Refused("file_not_given", "Slack does not give it to Lantern.")
    return Refused(f"http_{error.code}", "Slack does not give it to Lantern (any more).")
