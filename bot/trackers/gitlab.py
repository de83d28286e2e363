"""GitLab issues, of gitlab.com and of an instance of one's own.

Facts: docs.gitlab.com, "Issues API" (list project issues, single project issue, new issue), "Personal access tokens
API" (self, scopes), "Quick actions": a line of a description that begins with "/" is a command. Listing reads the
database.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from bot.domain import inert
from bot.domain.outcomes import Refused, Unknown
from bot.domain.tracker import Body, Issue, NoTracker, Standing
from bot.tracker_wire import Absent, Place, Wire, address_of, number_of

KIND, NAME, EXAMPLE = "gitlab", "GitLab", "gitlab:acme/web"

_PROJECT = re.compile(r"\d{1,18}|[\w.-]{1,255}(?:/[\w.-]{1,255}){1,20}", re.ASCII)
_PAGE, _PAGES = 50, 20
#: How far the two clocks may be apart.
_APART = timedelta(minutes=15)
_REMEDIES = {
    401: "LANTERN_TRACKER_TOKEN is wrong, expired or revoked. Make a new project access token with the scope api and "
    "the role Guest or higher.",
    403: "Make a project access token with the scope api and the role Guest or higher, and see that the project has "
    "issues (Settings, General, Visibility).",
    404: "The token does not reach the project, or LANTERN_TRACKER names none. Invite it, or correct the path: "
    f"LANTERN_TRACKER={EXAMPLE}",
    400: "GitLab does not take the issue as it is. Shorten the follow-up, or open the issue there and give its "
    "address: `/incident follow-up link 1 https://gitlab.com/acme/web/-/issues/12`",
    422: "GitLab does not take the issue as it is. Shorten the follow-up, or open the issue there and give its "
    "address: `/incident follow-up link 1 https://gitlab.com/acme/web/-/issues/12`",
}


def connect(place: Place) -> GitLab:
    """The tracker at a place. Raises NoTracker."""
    return GitLab(place)


class GitLab:
    """The issues of one project."""

    name = NAME

    def __init__(self, place: Place) -> None:
        if not _PROJECT.fullmatch(place.project):
            raise NoTracker(
                f"LANTERN_TRACKER names no project of GitLab. Write its path: LANTERN_TRACKER={EXAMPLE}"
            )
        self._place = place
        self.place = str(place)
        self._project = f"/projects/{quote(place.project, safe='')}"
        base = address_of(place.url or "https://gitlab.com")
        self._wire = Wire(
            NAME,
            base if base.endswith("/api/v4") else f"{base}/api/v4",
            {"PRIVATE-TOKEN": place.token},
            secret=place.token,
            remedies=_REMEDIES,
        )

    def at(self, place: str) -> GitLab:
        """Another project, by the same token. Raises NoTracker."""
        return GitLab(replace(self._place, project=place.removeprefix(f"{KIND}:")))

    def create(self, title: str, body: Body, mark: str) -> Issue:
        """Create an issue; the mark is a comment in its description that is not shown."""
        sent = {"title": inert.line(title), "description": inert.document(body, mark)}
        return self._issue(self._wire.post(f"{self._project}/issues", sent))

    def find(self, mark: str, since: datetime) -> Issue | None:
        """The issue with the mark, in the list of those created since then, newest first."""
        stamp = (since - _APART).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for page in range(1, _PAGES + 1):
            found = self._wire.things(
                f"{self._project}/issues",
                scope="all",
                created_after=stamp,
                order_by="created_at",
                sort="desc",
                per_page=_PAGE,
                page=page,
            )
            for one in found:
                if mark in str(one.get("description") or ""):
                    return self._issue(one)
            if len(found) < _PAGE:
                return None
        return None

    def state(self, key: str) -> Standing:
        """Open or closed; GitLab gives no reason. One that was moved to another project is gone from here."""
        try:
            found = self._wire.thing(f"{self._project}/issues/{number_of(key)}")
        except Absent:
            return Standing.GONE
        if found.get("moved_to_id"):
            return Standing.GONE
        if found.get("state") not in ("opened", "closed"):
            raise Unknown(f"{NAME} answered without the state of the issue")
        return Standing.DONE if found["state"] == "closed" else Standing.OPEN

    def reach(self) -> str:
        """What the token reaches, without changing anything."""
        found = self._wire.thing(self._project)
        path = str(found.get("path_with_namespace") or self._place.project)
        if found.get("issues_access_level") == "disabled" or found.get("issues_enabled") is False:
            raise Refused(f"{path} has its issues switched off", _REMEDIES[403])
        self._wire.get(f"{self._project}/issues", per_page=1)
        try:
            scopes = self._wire.thing("/personal_access_tokens/self").get("scopes")
        except Refused:
            # A fine-grained token, or an old GitLab: what it may do is seen when it does it.
            scopes = None
        if isinstance(scopes, list) and scopes and "api" not in scopes:
            raise Refused(f"The token may only {', '.join(map(str, scopes))}", _REMEDIES[403])
        return f"{NAME} shows the issues of {path} to the token."

    def _issue(self, found: Any) -> Issue:
        number = found.get("iid") if isinstance(found, dict) else None
        if not isinstance(number, int):
            raise Unknown(f"{NAME} answered without the number of the issue")
        return Issue(f"{self._place.project}#{number}", str(found.get("web_url") or ""))
