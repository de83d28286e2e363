"""A visitor of the console over plain HTTP: keeps cookies, signs in at the stand-in, sends a page's own forms."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode, urlsplit

from tests.houses import Town


@dataclass(frozen=True)
class Page:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    text: str
    #: The path that was asked for, with its query.
    path: str = ""

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    @property
    def words(self) -> str:
        """What a person reads: without tags, on one line."""
        inside = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", self.text)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", inside)).split())

    def hidden(self, action: str) -> dict[str, str]:
        """The hidden fields of the form that goes to this path."""
        form = re.search(rf'(?s)<form[^>]*action="{re.escape(action)}"[^>]*>.*?</form>', self.text)
        assert form is not None, f"no form goes to {action}: {self.words[:400]}"
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[0])
        return {name: unescape(value) for name, value in fields}


class Visitor:
    """`Visitor(town).signs_in(town.ana.id)`."""

    def __init__(self, town: Town, url: str = "") -> None:
        self._town = town
        self.url = url or town.house.console_url
        self.cookies: dict[str, str] = {}

    def asks(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        url: str = "",
    ) -> Page:
        """One request; cookies that it sets are kept."""
        connection = http.client.HTTPConnection(urlsplit(url or self.url).netloc, timeout=20)
        sent = dict(headers or {})
        if self.cookies and not url and "Cookie" not in sent:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            # A picture or a PDF comes through as it is: `text.encode("utf-8", "surrogateescape")`.
            text = answer.read().decode("utf-8", "surrogateescape")
        finally:
            connection.close()
        for line in answer.headers.get_all("set-cookie") or []:
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
            if "Max-Age=0" in line:
                del self.cookies[name]
        return Page(answer.status, {k.lower(): v for k, v in answer.headers.items()}, text, path)

    def gets(self, path: str, **headers: str) -> Page:
        """A page, following where it leads on this site."""
        page = self.asks("GET", path, headers=headers)
        while page.status == 303 and page.location.startswith("/"):
            page = self.asks("GET", page.location, headers=headers)
        return page

    def posts(self, path: str, fields: Mapping[str, str], *, origin: str | None = None) -> Page:
        """A form, as a browser sends it from a page of this site; where it leads is not followed."""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.url if origin is None else origin,
        }
        return self.asks("POST", path, urlencode(fields).encode(), headers)

    def sends(self, page: Page, action: str, **fields: str) -> Page:
        """The page's form, filled in and sent; gives where it leads, or the refusal."""
        answer = self.posts(action, {**page.hidden(action), **fields})
        return self.gets(answer.location) if answer.status == 303 else answer

    def signs_in(self, person: str, after: str = "") -> Page:
        """Through Slack's page as this person; gives where the console leads then."""
        begun = self.asks("GET", f"/sign-in/start?{urlencode({'next': after})}")
        return self.comes_back(self.chooses(begun, person))

    def chooses(self, begun: Page, person: str) -> str:
        """Choose a person on Slack's page; gives the path and query that Slack leads back to."""
        parts = urlsplit(begun.location)
        granted = self.asks(
            "GET", f"{parts.path}?{parts.query}&as={person}", url=f"{parts.scheme}://{parts.netloc}"
        )
        assert granted.status == 302, granted.text
        back = urlsplit(granted.location)
        return f"{back.path}?{back.query}"

    def comes_back(self, path: str) -> Page:
        return self.asks("GET", path)
