"""The figures of many incidents: drawn, in tables, and with what each of them means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from starlette.responses import Response

from bot.domain import insights as figures
from bot.domain import markup
from bot.domain.incident import Severity
from bot.domain.insights import Insights
from bot.domain.refusals import Refusal
from bot.domain.wording import counted, listed
from bot.domain.zone import zone_named
from bot.drawn.charts import COLUMN, NARROW, Chart, charts
from bot.store.db import NotSaved
from bot.usecases import insights, record
from bot.web.shown import Look
from bot.web.site import Address, Site
from bot.web.visit import Visit

#: What the charts are grouped by.
_BY = ("month", "severity", "service")
_FILTERS = ("since", "until", "severity", "service")
#: Days shown unless somebody asks for others.
_USUAL = 365


def show(site: Site, visit: Visit) -> Response:
    """The figures of the incidents that the visitor may see and asked for."""
    by = visit.query.get("by", "")
    by = by if by in _BY else "month"
    asked = {name: visit.query.get(name, "").strip() for name in _FILTERS}
    if "since" not in visit.query:
        today = site.desk.clock().astimezone(zone_named(site.desk.options.team_zone)).date()
        asked["since"] = (today - timedelta(days=_USUAL)).isoformat()
    wrong = _wrong(asked)
    found = None
    if not wrong:
        try:
            found = _figures(site, visit, asked)
        except NotSaved:
            raise
        except Refusal as refusal:
            wrong = {"until": refusal.sentence}
    return site.paper(
        visit,
        "insights.html.j2",
        asked=asked,
        is_chosen=bool(wrong) or any(name in visit.query for name in _FILTERS),
        by=by,
        wrong=wrong,
        found=found,
        drawn=_drawn(found, by) if found is not None else [],
        severities=[one.value for one in Severity],
        services=insights.services_seen(site.desk, by=visit.who.id),
        groupings=_BY,
        words=figures,
        left_out=_left_out(found) if found is not None else "",
        **_named(site, visit, found),
    )


def _figures(site: Site, visit: Visit, asked: Mapping[str, str]) -> Insights:
    service = asked["service"] or None
    return insights.figures(
        site.desk,
        by=visit.who.id,
        since=_day(asked["since"]),
        until=_day(asked["until"]),
        severity=Severity(asked["severity"].upper()) if asked["severity"] else None,
        service="" if service == figures.NO_SERVICE else service,
    )


def _drawn(found: Insights, by: str) -> list[tuple[Chart, str]]:
    """Every chart, and its picture for a phone."""
    groups = {"month": found.by_month, "severity": found.by_severity, "service": found.by_service}[by]
    narrow = charts(found, groups, by, NARROW)
    return [(one, small.svg) for one, small in zip(charts(found, groups, by, COLUMN), narrow, strict=True)]


def _left_out(found: Insights) -> str:
    """2 drills, 1 cancelled and 1 merged; "" when nothing is."""
    left = found.left_out
    told = (
        (left.drills, counted(left.drills, "drill")),
        (left.cancelled, f"{left.cancelled} cancelled"),
        (left.merged, f"{left.merged} merged"),
    )
    return listed([words for count, words in told if count])


def _named(site: Site, visit: Visit, found: Insights | None) -> dict[str, Any]:
    """A look that knows who is named in the follow-ups that are listed."""
    overdue = found.follow_ups.list_of_overdue if found is not None else ()
    ids = {one.owner for one in overdue if one.owner} | {
        one for each in overdue for one in markup.mentions(each.text)
    }
    look = site.look(visit)
    return {"look": Look(look.now, look.zone, record.names_of(site.desk, *ids)), "overdue": overdue}


def _wrong(asked: Mapping[str, str]) -> dict[str, str]:
    """Field -> what is wrong with it."""
    wrong = {}
    if asked["severity"] and asked["severity"].upper() not in Severity.__members__:
        wrong["severity"] = "There are SEV1 (worst) to SEV4."
    for name in ("since", "until"):
        if asked[name] and _day(asked[name]) is None:
            wrong[name] = "Write a day such as 2024-06-03."
    return wrong


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


ADDRESSES = (Address("/insights", show),)
