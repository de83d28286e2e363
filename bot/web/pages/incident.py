"""The page of one incident, and the part of it that is asked for again while it stays open."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from starlette.responses import Response

from bot.domain.timeline import Entry, Kind
from bot.usecases import record
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
    found = record.record_of(site.desk, visit.number("number"), by=visit.who.id)
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
    found = record.record_of(site.desk, number, by=by)
    return page(site.drawn(visit, "incident_live.html.j2", **_values(site, visit, found)))


def _values(site: Site, visit: Visit, found: Record) -> dict[str, Any]:
    about = found.facts.incident
    who = visit.who.person
    look = Look(
        now=site.desk.clock(),
        zone=site.look(visit).zone,
        people={**found.facts.people, who.id: who},
        channels=found.facts.channels,
    )
    order = visit.query.get("order", "")
    is_newest_first = order == "newest" or (order != "oldest" and not about.status.is_over)
    present = [one for one in found.facts.responders if one.left_at is None]
    return {
        "about": about,
        "facts": found.facts,
        "record": found,
        "look": look,
        "line": lambda entry: site.line(entry, about.number, look),
        "days": _days(found.facts.entries, look, is_newest_first),
        "is_newest_first": is_newest_first,
        "roles": [one for one in found.facts.roles if one.until_at is None],
        "former": [one for one in found.facts.roles if one.until_at is not None],
        "present": present,
        "channel_link": site.channel_link(about.channel_id) if about.channel_id else "",
        "waiting": [one for one in found.owed if not one.is_set_aside],
        "drawn": site.drawings.of(found.facts, found.pulse, look.now),
        "failed": [one for one in found.owed if one.is_set_aside],
    }


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
