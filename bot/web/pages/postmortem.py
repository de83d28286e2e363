"""The postmortem: its newest revision, every former one, and what changed between two."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bot.domain.incident import Incident
from bot.domain.people import Person
from bot.domain.postmortem import Revision
from bot.domain.refusals import NotThere
from bot.usecases import record, sight
from bot.web.document import compared, html_of
from bot.web.shown import Look
from bot.web.site import Address, Site
from bot.web.visit import Visit


def newest(site: Site, visit: Visit) -> Response:
    """The newest revision. Raises NotThere."""
    about, found, look = _revisions(site, visit)
    return _drawn(site, visit, about, found, look, found[0] if found else None)


def one(site: Site, visit: Visit) -> Response:
    """A former revision. Raises NotThere."""
    about, found, look = _revisions(site, visit)
    return _drawn(site, visit, about, found, look, _numbered(found, visit.number("revision"), about))


def markdown(site: Site, visit: Visit) -> Response:
    """A revision as the text that was compiled. Raises NotThere."""
    about, found, _ = _revisions(site, visit)
    chosen = _numbered(found, visit.number("revision"), about)
    name = f"{about.slug}-postmortem-{chosen.number}.md"
    return Response(
        chosen.markdown,
        media_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def changes(site: Site, visit: Visit) -> Response:
    """What changed from one revision to another. Raises NotThere."""
    about, found, look = _revisions(site, visit)
    last = found[0].number if found else 0
    former, later = (
        _numbered(found, _asked(visit, name, otherwise), about)
        for name, otherwise in (("from", max(1, last - 1)), ("to", last))
    )
    rows = compared(former.markdown, later.markdown)
    values = _shared(about, found, look)
    return site.paper(visit, "changes.html.j2", **values, former=former, later=later, rows=rows)


def _asked(visit: Visit, name: str, otherwise: int) -> int:
    given = visit.query.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else otherwise


def _revisions(site: Site, visit: Visit) -> tuple[Incident, list[Revision], Look]:
    by = visit.who.id
    about = sight.incident_by_number(site.desk, visit.number("number"), by=by)
    found = record.revisions_of(site.desk, about.id, by=by)
    people: dict[str, Person] = record.names_of(site.desk, *(each.created_by for each in found))
    look = site.look(visit)
    return about, found, Look(look.now, look.zone, people)


def _numbered(found: list[Revision], number: int, about: Incident) -> Revision:
    chosen = next((each for each in found if each.number == number), None)
    if chosen is None:
        raise NotThere(f"The postmortem of {about.slug} has no revision {number}.")
    return chosen


def _shared(about: Incident, found: list[Revision], look: Look) -> dict[str, Any]:
    return {"about": about, "revisions": found, "look": look}


def _drawn(
    site: Site, visit: Visit, about: Incident, found: list[Revision], look: Look, chosen: Revision | None
) -> Response:
    document = html_of(chosen.markdown) if chosen is not None else None
    values = _shared(about, found, look)
    return site.paper(visit, "postmortem.html.j2", **values, chosen=chosen, document=document)


ADDRESSES = (
    Address("/incidents/{number:int}/postmortem", newest),
    Address("/incidents/{number:int}/postmortem/changes", changes),
    Address("/incidents/{number:int}/postmortem/{revision:int}", one),
    Address("/incidents/{number:int}/postmortem/{revision:int}.md", markdown),
)
