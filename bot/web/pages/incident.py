"""The page of one incident, and the part of it that is asked for again while it stays open."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from bot.domain.incident import Incident
from bot.domain.timeline import Entry, Kind, Stretch, Window
from bot.usecases import record, sight
from bot.usecases.record import Record
from bot.web.answers import page
from bot.web.shown import Look
from bot.web.site import Address, Site
from bot.web.visit import Visit

#: Kinds a person chooses from; runbook entries come from runbooks.
KINDS = tuple(kind.value for kind in Kind if kind is not Kind.RUNBOOK)
#: What a deed has to say on the page it leads to: a word of the address, never the sentence itself.
_SAID = {
    "logged": "Logged #{n}.",
    "edited": "Changed #{n}.",
    "undone": "Undid #{n}. It stays in the history and is left out of the postmortem.",
    "same": "#{n} says that already.",
    "again": "It is being sent again.",
    "noted": "The follow-up is noted.",
    "given": "Follow-up {n} is changed.",
    "done": "Follow-up {n} is done.",
    "dropped": "Follow-up {n} is dropped.",
    "open": "Follow-up {n} is open.",
    "sent": "Follow-up {n} is on its way to the tracker. Its issue stands here when it is there.",
    "gone": "It is not waiting any more.",
}


def show(site: Site, visit: Visit) -> Response:
    """The whole page. Raises NoSuchIncident."""
    return draw(site, visit)


def draw(site: Site, visit: Visit, status: int = 200, **form: Any) -> Response:
    """The page, with the form as it was sent when that was refused (`text`, `kind`, `when`, `wrong`)."""
    found = _found(site, visit)
    blank = {"text": "", "kind": "", "when": "", "wrong": "", "wrong_field": "", "kept_origin": ""}
    return site.paper(
        visit,
        "incident.html.j2",
        status,
        **_values(site, visit, found),
        form={**blank, **form},
        kinds=KINDS,
        said=_said(visit),
    )


def live(site: Site, visit: Visit) -> Response:
    """What changes by itself; 204 while nothing has. Raises NoSuchIncident."""
    number, by = visit.number("number"), visit.who.id
    if record.pulse_of(site.desk, number, by=by) == visit.query.get("pulse"):
        return Response(status_code=204)
    found = _found(site, visit)
    return page(site.drawn(visit, "incident_live.html.j2", **_values(site, visit, found)))


def _found(site: Site, visit: Visit) -> Record:
    """The record, with the part of the timeline that the address names. Raises NoSuchIncident."""
    number, by = visit.number("number"), visit.who.id
    about = sight.incident_by_number(site.desk, number, by=by)
    window = Window(
        is_earliest=not _is_newest_first(visit, about),
        before=visit.numbered("before"),
        after=visit.numbered("after"),
        at=visit.numbered("at"),
        is_all=visit.query.get("show") == "all",
    )
    return record.record_of(site.desk, number, window, by=by)


def _is_newest_first(visit: Visit, about: Incident) -> bool:
    order = visit.query.get("order", "")
    return order == "newest" or (order != "oldest" and not about.status.is_over)


def _values(site: Site, visit: Visit, found: Record) -> dict[str, Any]:
    about = found.facts.incident
    who = visit.who.person
    look = Look(
        now=site.desk.clock(),
        zone=site.look(visit).zone,
        people={**found.facts.people, who.id: who},
        channels=found.facts.channels,
    )
    is_newest_first = _is_newest_first(visit, about)
    present = [one for one in found.facts.responders if one.left_at is None]
    return {
        "about": about,
        "facts": found.facts,
        "record": found,
        "look": look,
        "line": lambda entry: site.line(entry, about.number, look),
        "days": _days(found.facts.entries, look, is_newest_first),
        "is_newest_first": is_newest_first,
        "window": _named(visit),
        "is_all": visit.query.get("show") == "all",
        "ways": _ways(found.stretch, visit.query.get("order", ""), is_newest_first=is_newest_first),
        "roles": [one for one in found.facts.roles if one.until_at is None],
        "former": [one for one in found.facts.roles if one.until_at is not None],
        "present": present,
        "channel_link": site.channel_link(about.channel_id) if about.channel_id else "",
        "waiting": [one for one in found.owed if not one.is_set_aside],
        "drawn": site.drawings.of(
            about, found.pulse, look.now, lambda: record.course(site.desk, found.facts, look.now)
        ),
        "failed": [one for one in found.owed if one.is_set_aside],
    }


def _named(visit: Visit) -> str:
    """The part of the timeline that the address names, to be asked for again: before=512"""
    asked = {name: visit.numbered(name) for name in ("before", "after", "at")}
    return urlencode({name: number for name, number in asked.items() if number is not None})


@dataclass(frozen=True)
class Ways:
    """What of the timeline is shown, and the addresses of the rest; "" where there is none."""

    #: "Entries 501 to 1,000 of 10,000"
    said: str
    #: In the order of the page: what comes above this part, and what below.
    above: str
    below: str
    above_name: str
    below_name: str
    every: str


def _ways(stretch: Stretch, order: str, *, is_newest_first: bool) -> Ways | None:
    """None when the page shows all of it."""
    if not stretch.earlier and not stretch.later:
        return None
    kept = {"order": order} if order in ("newest", "oldest") else {}

    def to(**part: str | int) -> str:
        return f"?{urlencode({**part, **kept})}#timeline"

    first, last = stretch.earlier + 1, stretch.earlier + len(stretch.entries)
    said = f"Entries {first:,} to {last:,} of {stretch.total:,}, in the order things happened."
    if not stretch.entries:
        return Ways(f"None of the {stretch.total:,} entries is here.", "", to(), "", "the first page", "")
    earlier = to(before=stretch.entries[0].number) if stretch.earlier else ""
    later = to(after=stretch.entries[-1].number) if stretch.later else ""
    names = (f"{stretch.earlier:,} earlier", f"{stretch.later:,} later")
    if is_newest_first:
        return Ways(said, later, earlier, names[1], names[0], to(show="all"))
    return Ways(said, earlier, later, names[0], names[1], to(show="all"))


def _days(entries: tuple[Entry, ...], look: Look, is_newest_first: bool) -> list[tuple[str, list[Entry]]]:
    """Entries a day of the visitor's, with the day's name."""
    ordered = sorted(entries, key=lambda one: (one.happened_at, one.number), reverse=is_newest_first)
    grouped = groupby(ordered, key=lambda one: look.day_of(one.happened_at))
    return [(look.day(day[0].happened_at), day) for day in (list(some) for _, some in grouped)]


def _said(visit: Visit) -> str:
    word, _, number = visit.query.get("did", "").partition("-")
    return _SAID[word].format(n=number) if word in _SAID and number.isdigit() and len(number) < 10 else ""


ADDRESSES = (
    Address("/incidents/{number:int}", show),
    Address("/incidents/{number:int}/live", live),
)
