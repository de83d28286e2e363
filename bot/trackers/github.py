"""GitHub Issues, of github.com and of GitHub Enterprise.

Facts: docs.github.com, "REST API endpoints for issues" (create, list repository issues, get; state_reason), "Rate
limits for the REST API". Listing reads the repository, not the search index, and takes pull requests along.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from bot.domain import inert
from bot.domain.outcomes import Refused, Unknown
from bot.domain.tracker import Body, Issue, NoTracker, Standing
from bot.tracker_wire import Absent, Place, Wire, address_of, is_before, number_of

KIND, NAME, EXAMPLE = "github", "GitHub", "github:acme/web"

_PROJECT = re.compile(r"(?!\.)[\w.-]{1,100}/(?!\.{1,2}$)[\w.-]{1,100}", re.ASCII)
_PAGE, _PAGES = 50, 20
#: How far the two clocks may be apart.
_APART = timedelta(minutes=15)
_REMEDIES = {
    401: "LANTERN_TRACKER_TOKEN is wrong, expired or revoked. Make a new one with the permission Issues, read and "
    "write.",
    403: "Give the token the permission Issues: read and write for this repository; an archived one takes no issues.",
    404: "The token does not reach the repository, or LANTERN_TRACKER names none. Give the token that repository, or "
    f"correct the name: LANTERN_TRACKER={EXAMPLE}",
    410: "Issues are switched off in this repository. Switch them on in its settings, or name another: "
    f"LANTERN_TRACKER={EXAMPLE}",
    422: "GitHub does not take the issue as it is. Shorten the follow-up, or open the issue there and give its "
    "address: `/incident follow-up link 1 https://github.com/acme/web/issues/12`",
}


def connect(place: Place) -> GitHub:
    """The tracker at a place. Raises NoTracker."""
    return GitHub(place)


class GitHub:
    """The issues of one repository."""

    name = NAME

    def __init__(self, place: Place) -> None:
        if not _PROJECT.fullmatch(place.project):
            raise NoTracker(
                f"LANTERN_TRACKER names no repository of GitHub. Write owner and name: LANTERN_TRACKER={EXAMPLE}"
            )
        self._place = place
        self.place = str(place)
        self._issues = f"/repos/{place.project}/issues"
        headers = {
            "Authorization": f"Bearer {place.token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._wire = Wire(NAME, _api(place.url), headers, secret=place.token, remedies=_REMEDIES)

    def at(self, place: str) -> GitHub:
        """Another repository, by the same token. Raises NoTracker."""
        return GitHub(replace(self._place, project=place.removeprefix(f"{KIND}:")))

    def create(self, title: str, body: Body, mark: str) -> Issue:
        """Create an issue; the mark is a comment in its body that is not shown."""
        made = self._wire.post(self._issues, {"title": inert.line(title), "body": inert.document(body, mark)})
        return self._issue(made)

    def find(self, mark: str, since: datetime) -> Issue | None:
        """The issue with the mark, in the list of those that changed since then, newest first."""
        from_on = since - _APART
        stamp = from_on.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for page in range(1, _PAGES + 1):
            found = self._wire.things(
                self._issues,
                state="all",
                since=stamp,
                sort="created",
                direction="desc",
                per_page=_PAGE,
                page=page,
            )
            for one in found:
                if mark in str(one.get("body") or ""):
                    return self._issue(one)
            if len(found) < _PAGE or is_before(found[-1].get("created_at"), from_on):
                return None
        return None

    def state(self, key: str) -> Standing:
        """Open, or closed as completed, not planned or a duplicate."""
        try:
            found = self._wire.thing(f"{self._issues}/{number_of(key)}")
        except Absent:
            return Standing.GONE
        if found.get("state") not in ("open", "closed"):
            raise Unknown(f"{NAME} answered without the state of the issue")
        if found["state"] == "open":
            return Standing.OPEN
        return (
            Standing.DROPPED if found.get("state_reason") in ("not_planned", "duplicate") else Standing.DONE
        )

    def reach(self) -> str:
        """What the token reaches, without changing anything."""
        found = self._wire.thing(f"/repos/{self._place.project}")
        if found.get("has_issues") is False:
            raise Refused(f"{self._place.project} has its issues switched off", _REMEDIES[410])
        if found.get("archived"):
            raise Refused(f"{self._place.project} is archived", _REMEDIES[403])
        self._wire.get(self._issues, state="all", per_page=1)
        return f"{NAME} shows the issues of {found.get('full_name') or self._place.project} to the token."

    def _issue(self, found: Any) -> Issue:
        number = found.get("number") if isinstance(found, dict) else None
        if not isinstance(number, int):
            raise Unknown(f"{NAME} answered without the number of the issue")
        return Issue(f"{self._place.project}#{number}", str(found.get("html_url") or ""))


def _api(url: str) -> str:
    """Where the API is: api.github.com, api.<name>.ghe.com, or /api/v3 of an Enterprise Server."""
    base = address_of(url or "https://api.github.com")
    parts = urlsplit(base)
    host = parts.hostname or ""
    if host in {"github.com", "www.github.com", "api.github.com"}:
        return "https://api.github.com"
    if host.endswith(".ghe.com"):
        return base if host.startswith("api.") else f"https://api.{host}"
    return base if parts.path else f"{base}/api/v3"
