"""What goes back to a browser, with the headers that every answer of the console has."""

from __future__ import annotations

import gzip
from urllib.parse import urlencode

from starlette.responses import Response

#: No script, style or picture but our own; nobody may frame us; a form goes nowhere else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers would then say `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_YEAR = 365 * 24 * 3600
#: Bytes.
_WORTH_PACKING = 2000
#: Pictures and PDF are packed already.
_PACKABLE = ("text/", "application/json")
#: Of a file that is handed over: should a browser draw it, it may do nothing.
SHUT = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def handed_over(name: str, media_type: str, content: bytes, *, is_shown: bool = False) -> Response:
    """A file of this name (ours: ASCII, no quotation marks), to be saved or, for a picture, shown."""
    how = "inline" if is_shown else "attachment"
    headers = {"Content-Disposition": f'{how}; filename="{name}"', "Content-Security-Policy": SHUT}
    return Response(content, media_type=media_type, headers=headers)


def sealed(answer: Response, *, is_secure: bool, keeps_for: int = 0) -> Response:
    """The answer with the headers of the house; it is kept by no cache unless for so many seconds.

    What a page has set itself stays: a policy that is stricter than the pages' own.
    """
    for name, value in _ALWAYS.items():
        answer.headers.setdefault(name, value)
    answer.headers["Cache-Control"] = f"public, max-age={keeps_for}, immutable" if keeps_for else "no-store"
    if is_secure:
        answer.headers["Strict-Transport-Security"] = f"max-age={_YEAR}"
    return answer


def packed(answer: Response, accepted: str) -> Response:
    """Compressed when that is worth it and the browser takes it: in the page's thread, where nobody else waits."""
    body = bytes(answer.body)
    kind = answer.media_type or ""
    if len(body) < _WORTH_PACKING or "gzip" not in accepted or not kind.startswith(_PACKABLE):
        return answer
    answer.body = gzip.compress(body, 5, mtime=0)
    answer.headers["Content-Encoding"] = "gzip"
    answer.headers["Content-Length"] = str(len(answer.body))
    answer.headers["Vary"] = "Accept-Encoding"
    return answer


def page(html: str, status: int = 200) -> Response:
    return Response(html, status_code=status, media_type="text/html")


def elsewhere(path: str) -> Response:
    """On to another page, with GET. `path` is ours: it begins with one slash."""
    assert is_own(path), path
    return Response(status_code=303, headers={"Location": path})


def entry_at(number: int, entry: int, **more: str) -> str:
    """The address of an entry on its incident's page. A long timeline is in parts: `at` finds the right one."""
    return f"/incidents/{number}?{urlencode({**more, 'at': entry})}#entry-{entry}"


def is_own(path: str) -> bool:
    """True for an address of this site: one slash first, and nothing a browser would read as a host."""
    return (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and path.isascii()
        and path.isprintable()
        and "\\" not in path
        and len(path) <= 1000
    )
