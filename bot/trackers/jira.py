"""Jira: Cloud with LANTERN_TRACKER_USER (REST API v3), Data Center without (v2 and a personal access token).

Facts: developer.atlassian.com, "The Jira Cloud platform REST API v3" (create issue, get issue, GET search/jql, my
permissions), "Atlassian Document Format", "Search After Write with Search And Reconcile": a search does not show what
was written just now, for seconds to minutes. Reading an issue by its key does. So find() goes on by key from the newest
issue that the search shows.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from bot.domain.outcomes import Refused, Unknown
from bot.domain.tracker import Body, Issue, NoTracker, Standing
from bot.tracker_wire import Absent, Place, Wire, address_of, is_before, number_of

KIND, NAME, EXAMPLE = "jira", "Jira", "jira:OPS"

_PROJECT = re.compile(r"([A-Z][A-Z0-9_]{1,63})(?:/([\w .()-]{1,60}))?")
_PAGE, _PAGES = 50, 10
#: Keys in a row that may lead nowhere (deleted, hidden from the token, given out and not used), and steps in all.
_GAP, _STEPS = 10, 100
#: How far the two clocks may be apart.
_APART = timedelta(minutes=15)
#: Jira's own resolutions and the usual names of statuses for what was closed without being done, in lower case.
_DROPPED = frozenset(
    {
        "won't do",
        "won't fix",
        "wont do",
        "wontfix",
        "duplicate",
        "cannot reproduce",
        "declined",
        "rejected",
        "invalid",
    }
    | {"cancelled", "canceled", "abandoned", "obsolete", "incomplete", "not a bug"}
)
_REMEDIES = {
    400: "Jira does not take the issue as it is. Name an issue type that needs only a summary and a description: "
    "LANTERN_TRACKER=jira:OPS/Task",
    401: "LANTERN_TRACKER_TOKEN is wrong, expired or revoked. On Jira Cloud make an API token and name its account: "
    "LANTERN_TRACKER_USER=lantern@example.com. On Data Center make a personal access token and leave the user out.",
    403: "Give the token's account the permissions Browse Projects and Create Issues in this project; after several "
    "failed sign-ins it may have to solve a CAPTCHA in a browser once.",
    404: "The token's account does not see the project or the issue, or LANTERN_TRACKER names none. Let it browse the "
    f"project, or correct the key: LANTERN_TRACKER={EXAMPLE}",
}
#: Signs of Jira's wiki markup ("Text Formatting Notation Help"); written as entities they mean nothing.
_WIKI = re.compile(r"[&\\{}\[\]*_\-+^~?!|#]")


def connect(place: Place) -> Jira:
    """The tracker at a place. Raises NoTracker."""
    return Jira(place)


class Jira:
    """The issues of one project."""

    name = NAME

    def __init__(self, place: Place) -> None:
        found = _PROJECT.fullmatch(place.project)
        if found is None:
            raise NoTracker(
                f"LANTERN_TRACKER names no project of Jira. Write its key, in capitals: LANTERN_TRACKER={EXAMPLE}, or "
                "with an issue type: LANTERN_TRACKER=jira:OPS/Bug"
            )
        if not place.url:
            raise NoTracker(
                "LANTERN_TRACKER_URL is not set, and Jira has no address of its own. "
                "For example LANTERN_TRACKER_URL=https://acme.atlassian.net"
            )
        self._place = place
        self.place = str(place)
        self._key, self._type = found[1], found[2] or "Task"
        self._is_cloud = bool(place.user)
        self._base = address_of(place.url)
        self._api = f"/rest/api/{3 if self._is_cloud else 2}"
        pair = b64encode(f"{place.user}:{place.token}".encode()).decode()
        headers = {"Authorization": f"Basic {pair}" if self._is_cloud else f"Bearer {place.token}"}
        self._wire = Wire(NAME, self._base, headers, secret=place.token, remedies=_REMEDIES)

    def at(self, place: str) -> Jira:
        """Another project, by the same token. Raises NoTracker."""
        return Jira(replace(self._place, project=place.removeprefix(f"{KIND}:")))

    def create(self, title: str, body: Body, mark: str) -> Issue:
        """Create an issue; the mark is the last line of its description."""
        whole = " ".join(title.split())
        site = self._site()
        fields = {
            "project": {"key": self._key},
            "issuetype": {"name": self._type},
            "summary": whole if len(whole) <= 200 else whole[:199].rstrip() + "…",
            "description": _document(body, mark) if self._is_cloud else _wiki(body, mark),
        }
        return self._issue(self._wire.post(f"{self._api}/issue", {"fields": fields}), site)

    def find(self, mark: str, since: datetime) -> Issue | None:
        """The issue with the mark: among those the search shows since then, else by key from the newest of them on."""
        site, newest = self._site(), 0
        for one in self._newest_first():
            newest = max(newest, number_of(str(one.get("key"))))
            if _carries(one, mark):
                return self._issue(one, site)
            if is_before(_fields(one).get("created"), since - _APART):
                break
        misses = 0
        for number in range(newest + 1, newest + 1 + _STEPS):
            try:
                one = self._wire.get(f"{self._api}/issue/{self._key}-{number}", fields="description")
            except Absent:
                misses += 1
                if misses == _GAP:
                    break
                continue
            misses = 0
            if _carries(one, mark):
                return self._issue(one, site)
        return None

    def _newest_first(self) -> Iterator[Any]:
        """Issues of the project as the search shows them now."""
        asked: dict[str, str | int] = {
            "jql": f'project = "{self._key}" ORDER BY created DESC',
            "fields": "created,description",
            "maxResults": _PAGE,
        }
        path = f"{self._api}/search/jql" if self._is_cloud else f"{self._api}/search"
        for page in range(_PAGES):
            answer = self._wire.thing(path, **asked)
            found = answer.get("issues")
            if not isinstance(found, list):
                raise Unknown(f"{NAME} answered a search without issues")
            yield from (one for one in found if isinstance(one, dict))
            if len(found) < _PAGE:
                return
            if self._is_cloud:
                asked["nextPageToken"] = str(answer.get("nextPageToken") or "")
                if not asked["nextPageToken"]:
                    return
            else:
                asked["startAt"] = (page + 1) * _PAGE

    def state(self, key: str) -> Standing:
        """By the category of its status; by its resolution, or the status's name, whether it was dropped."""
        try:
            found = self._wire.thing(f"{self._api}/issue/{quote(key, safe='')}", fields="status,resolution")
        except Absent:
            return Standing.GONE
        status = _part(_fields(found), "status")
        category = _part(status, "statusCategory").get("key")
        if not isinstance(category, str):
            raise Unknown(f"{NAME} answered without the status of the issue")
        if category != "done":
            return Standing.OPEN
        words = {str(_part(_fields(found), "resolution").get("name")), str(status.get("name"))}
        is_dropped = bool({word.lower().replace("’", "'") for word in words} & _DROPPED)
        return Standing.DROPPED if is_dropped else Standing.DONE

    def reach(self) -> str:
        """What the token reaches, without changing anything."""
        project = self._wire.thing(f"{self._api}/project/{self._key}")
        listed = project.get("issueTypes")
        types = [str(_part({"": one}, "").get("name")) for one in listed] if isinstance(listed, list) else []
        if types and self._type not in types:
            raise Refused(
                f"The project {self._key} has no issue type “{self._type}”",
                f"It has {', '.join(types)}: LANTERN_TRACKER=jira:{self._key}/{types[0]}",
            )
        asked: dict[str, str | int] = {"projectKey": self._key}
        if self._is_cloud:
            asked["permissions"] = "CREATE_ISSUES"
        rights = _part(self._wire.thing(f"{self._api}/mypermissions", **asked), "permissions")
        if _part(rights, "CREATE_ISSUES").get("havePermission") is False:
            raise Refused(f"The token's account may not create issues in {self._key}", _REMEDIES[403])
        return f"{NAME} lets the token create issues of the type {self._type} in {self._key}."

    def _site(self) -> str:
        """Where people open an issue. A token with scopes is used at api.atlassian.com/ex/jira/<cloud id> instead."""
        if "/ex/jira/" not in self._base:
            return self._base
        return str(self._wire.thing(f"{self._api}/serverInfo").get("baseUrl") or "")

    def _issue(self, found: Any, site: str) -> Issue:
        key = str(found.get("key") or "") if isinstance(found, dict) else ""
        if not number_of(key):
            raise Unknown(f"{NAME} answered without the key of the issue")
        return Issue(key, f"{site}/browse/{key}" if site else "")


def _fields(found: Any) -> dict[str, Any]:
    return _part(found, "fields")


def _part(found: Any, name: str) -> dict[str, Any]:
    """What stands there under a name, where that is an object; else an empty one."""
    part = found.get(name) if isinstance(found, dict) else None
    return part if isinstance(part, dict) else {}


def _carries(found: Any, mark: str) -> bool:
    # A string on Data Center, a document on Cloud.
    return mark in json.dumps(_fields(found).get("description"))


def _document(body: Body, mark: str) -> dict[str, Any]:
    """Atlassian's Document Format: what stands in a text node is text and nothing else."""
    paragraphs = [_paragraph(text) for text in (body.text, "\n".join(body.facts)) if text.strip()]
    if body.page:
        link = {"type": "link", "attrs": {"href": body.page}}
        node = {"type": "text", "text": "The incident in Lantern", "marks": [link]}
        paragraphs.append({"type": "paragraph", "content": [node]})
    return {"type": "doc", "version": 1, "content": [*paragraphs, _paragraph(mark)]}


def _paragraph(text: str) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = []
    for line in text.splitlines():
        if nodes:
            nodes.append({"type": "hardBreak"})
        # A text node may not be empty.
        if line.strip():
            nodes.append({"type": "text", "text": line.strip()})
    return {"type": "paragraph", "content": nodes}


def _wiki(body: Body, mark: str) -> str:
    """Wiki markup in which nothing that was typed has effect; {noformat} keeps the mark as it is."""
    parts = ["\n".join(map(_wiki_line, text.splitlines())) for text in (body.text, "\n".join(body.facts))]
    if body.page:
        parts.append(f"[The incident in Lantern|{body.page}]")
    return "\n\n".join([*(part for part in parts if part), f"{{noformat}}{mark}{{noformat}}"])


def _wiki_line(text: str) -> str:
    escaped = _WIKI.sub(lambda found: f"&#{ord(found[0])};", text.strip())
    return re.sub(r"^(h[1-6]|bq)\.", r"\1&#46;", escaped)
