"""The list of incidents: open ones first, then the past, with what to look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from bot.domain import zoned
from bot.domain.incident import Incident, Severity, Status, Wanted
from bot.domain.refusals import Refusal
from bot.domain.terms import read_terms
from bot.store.db import NotSaved
from bot.usecases import record
from bot.usecases.record import Listed
from bot.usecases.search import search_incidents
from bot.web.answers import entry_at
from bot.web.marked import marked
from bot.web.site import Address, Site
from bot.web.visit import Visit

#: Incidents of the past on one page.
PAGE = 50
#: Open ones that are shown; nobody has more at a time.
_MOST_OPEN = 200

#: Hit -> the place that shows it.
_STANDS = {"postmortem": "/postmortem", "lesson": "#lessons"}
_FILTERS = ("severity", "status", "service", "person", "since", "until")


def show(site: Site, visit: Visit) -> Response:
    """Every incident that the visitor may see and asked for: by words, by what it is like, or by both."""
    words = visit.query.get("q", "").strip()
    asked = {name: visit.query.get(name, "").strip() for name in _FILTERS}
    zone = zoned.zone_of(visit.who.person) or UTC
    wrong = _wrong(site, asked)
    form: dict[str, Any] = {
        "words": words,
        "wrong": wrong,
        "asked": asked,
        "is_filtered": any(asked.values()),
        "severities": [one.value for one in Severity],
        "statuses": [one.value for one in Status],
        "services": record.services_seen(site.desk, by=visit.who.id),
        "mine": _address({"q": words, "person": visit.who.person.name}),
        "everywhere": _address({"q": words}),
    }
    if words:
        return _search(site, visit, None if wrong else _wanted(site, asked, zone), form)
    before = visit.query.get("before", "")
    opened, past = _found(site, visit, asked, zone, before) if not wrong else ([], [])
    more = past[PAGE - 1].incident.number if len(past) > PAGE else None
    return site.paper(
        visit,
        "incidents.html.j2",
        **form,
        opened=opened,
        past=past[:PAGE],
        is_later=bool(before),
        more=None if more is None else _address({**asked, "before": str(more)}),
    )


def _search(site: Site, visit: Visit, wanted: Wanted | None, form: Mapping[str, Any]) -> Response:
    """What holds the words that were typed, with the places where they stand; nothing when the filter is wrong."""
    finding, refused, words = None, "", form["words"]
    try:
        if wanted is not None:
            finding = search_incidents(site.desk, words, by=visit.who.id, among=wanted, limit=PAGE)
    except NotSaved:
        raise
    except Refusal as refusal:
        refused = refusal.sentence
    terms = read_terms(words)
    return site.paper(
        visit,
        "found.html.j2",
        **form,
        refused=refused,
        finding=finding,
        marked=lambda text: marked(text, terms),
        leads=_leads,
    )


def _leads(about: Incident, where: str) -> str:
    """Where on the pages of an incident a hit stands."""
    if where.startswith("#"):
        return entry_at(about.number, int(where[1:]))
    return f"/incidents/{about.number}{_STANDS.get(where, '')}"


def _found(
    site: Site, visit: Visit, asked: Mapping[str, str], zone: tzinfo, before: str
) -> tuple[list[Listed], list[Listed]]:
    """Open ones, and one more of the past than a page shows."""

    like = _wanted(site, asked, zone)
    is_number = before.isascii() and before.isdigit() and len(before) < 10
    former = replace(like, is_over=True, before=int(before) if is_number else None)
    by = visit.who.id
    opened = (
        []
        if before
        else record.find_incidents(site.desk, replace(like, is_over=False), by=by, limit=_MOST_OPEN)
    )
    return opened, record.find_incidents(site.desk, former, by=by, limit=PAGE + 1)


def _wanted(site: Site, asked: Mapping[str, str], zone: tzinfo) -> Wanted:
    return Wanted(
        severity=Severity(asked["severity"].upper()) if asked["severity"] else None,
        status=Status(asked["status"]) if asked["status"] else None,
        service=asked["service"],
        people=record.people_named(site.desk, asked["person"]) if asked["person"] else None,
        since=_midnight(asked["since"], zone),
        until=_midnight(asked["until"], zone, days_on=1),
    )


def _wrong(site: Site, asked: Mapping[str, str]) -> dict[str, str]:
    """Field -> what is wrong with it."""
    wrong = {}
    if asked["severity"] and asked["severity"].upper() not in Severity.__members__:
        wrong["severity"] = "There are SEV1 (worst) to SEV4."
    if asked["status"] and asked["status"] not in {one.value for one in Status}:
        wrong["status"] = f"There are {', '.join(one.value for one in Status)}."
    if asked["person"] and not record.people_named(site.desk, asked["person"]):
        wrong["person"] = "Lantern has met nobody of that name. Write it as Slack shows it, for example ana."
    for name in ("since", "until"):
        if asked[name] and _day(asked[name]) is None:
            wrong[name] = "Write a day such as 2024-06-03."
    return wrong


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _midnight(text: str, zone: tzinfo, *, days_on: int = 0) -> datetime | None:
    """The beginning of a day in the visitor's zone, in UTC."""
    day = _day(text) if text else None
    if day is None or not 1970 <= day.year < 9000:
        return None
    return datetime.combine(day + timedelta(days=days_on), time(), zone).astimezone(UTC)


def _address(query: Mapping[str, str]) -> str:
    kept = urlencode({name: value for name, value in query.items() if value})
    return f"/incidents?{kept}" if kept else "/incidents"


ADDRESSES = (Address("/incidents", show),)
