"""The postmortem as it is read: section by section, every former revision, and what changed between two."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bot.domain.course import course_of
from bot.domain.incident import Incident, Severity
from bot.domain.postmortem import Revision
from bot.domain.refusals import NotThere
from bot.domain.review import unfinished
from bot.domain.sections import Section, in_question
from bot.usecases import record, sections, sight
from bot.usecases.sections import Document
from bot.web.document import LONGEST_SHOWN, compared, cut, html_of
from bot.web.shown import Look
from bot.web.site import Address, Site
from bot.web.visit import Visit

#: What a deed has to say on the page it leads to: a word of the address, never the sentence itself.
_SAID = {
    "saved": "Saved as a new revision.",
    "same": "Nothing changed: it says that already.",
    "compiled": "Compiled again from what is known now. What people wrote is kept.",
    "draft": "It is a draft again.",
    "review": "It is in review.",
    "published": "It is published.",
}


def newest(site: Site, visit: Visit) -> Response:
    """The newest revision, section by section. Raises NotThere."""
    return draw(site, visit)


def draw(site: Site, visit: Visit, status: int = 200, *, wrong: str = "", reason: str = "") -> Response:
    """The page, with what was refused. Raises NotThere."""
    by = visit.who.id
    # First: a change that comes in between is then drawn once more, not missed.
    pulse = record.pulse_of(site.desk, visit.number("number"), by=by)
    about = sight.incident_by_number(site.desk, visit.number("number"), by=by)
    found = sections.document(site.desk, about.id, by=by)
    look = _look(site, visit, found)
    values = {"about": about, "found": found, "look": look, "wrong": wrong, "reason": reason}
    if found is None:
        return site.paper(visit, "postmortem.html.j2", status, **values)
    facts = found.facts
    is_held_up = about.severity in (Severity.SEV1, Severity.SEV2)
    return site.paper(
        visit,
        "postmortem.html.j2",
        status,
        **values,
        parts=[_shown(one, visit.query.get("whole", "")) for one in found.revision.sections],
        asked=in_question(found.revision.sections),
        unfinished=unfinished(facts.follow_ups) if is_held_up else [],
        drawn=site.drawings.of(about, pulse, look.now, lambda: course_of(facts, look.now)),
        said=_SAID.get(visit.query.get("did", ""), ""),
    )


def _shown(one: Section, whole: str) -> dict[str, Any]:
    """One section for the template. A title is Markdown of one line, as in the document it stands in.

    A long one is cut unless it is the one that was asked for.
    """
    longest = None if whole == one.key else LONGEST_SHOWN
    text, left = cut(one.text, longest)
    facts, facts_left = cut(one.compiled or "", longest) if one.is_in_question else ("", 0)
    return {
        "key": one.key,
        "name": one.title or "The beginning",
        "heading": html_of(f"## {one.title}") if one.title else "",
        "html": html_of(text),
        "left": max(left, facts_left),
        "is_human": one.is_human,
        "is_ours": one.compiled is None,
        "is_in_question": one.is_in_question,
        "facts": html_of(facts),
        "rows": compared(one.compiled or "", one.text) if one.is_in_question else [],
    }


def one(site: Site, visit: Visit) -> Response:
    """A former revision. Raises NotThere."""
    about, found, look = looked_at(site, visit)
    chosen = _numbered(site, visit, about, found, visit.number("revision"))
    text, left = cut(chosen.markdown, None if visit.query.get("whole") else LONGEST_SHOWN)
    return site.paper(
        visit,
        "revision.html.j2",
        about=about,
        found=found,
        look=look,
        chosen=chosen,
        document=html_of(text),
        left=left,
    )


def markdown(site: Site, visit: Visit) -> Response:
    """A revision as Markdown, to take along. Raises NotThere."""
    about, found, _ = looked_at(site, visit)
    chosen = _numbered(site, visit, about, found, visit.number("revision"))
    name = f"{about.slug}-postmortem-{chosen.number}.md"
    return Response(
        chosen.markdown,
        media_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def changes(site: Site, visit: Visit) -> Response:
    """What changed from one revision to another. Raises NotThere."""
    about, found, look = looked_at(site, visit)
    last = found.revision.number if found is not None else 0
    before = max(1, last - 1)
    former, later = (
        _numbered(site, visit, about, found, otherwise if asked is None else asked)
        for asked, otherwise in ((visit.numbered("from"), before), (visit.numbered("to"), last))
    )
    return site.paper(
        visit,
        "changes.html.j2",
        about=about,
        found=found,
        look=look,
        former=former,
        later=later,
        rows=compared(former.markdown, later.markdown),
    )


def looked_at(site: Site, visit: Visit) -> tuple[Incident, Document | None, Look]:
    """The incident and its postmortem as they stand. Raises NotThere."""
    about = sight.incident_by_number(site.desk, visit.number("number"), by=visit.who.id)
    found = sections.written(site.desk, about.id, by=visit.who.id)
    return about, found, _look(site, visit, found)


def _look(site: Site, visit: Visit, found: Document | None) -> Look:
    wrote = (
        {one.created_by for one in found.history} | {found.review.changed_by} if found is not None else set()
    )
    look = site.look(visit)
    return Look(look.now, look.zone, record.names_of(site.desk, *wrote))


def _numbered(site: Site, visit: Visit, about: Incident, found: Document | None, number: int) -> Revision:
    if found is None or number not in {one.number for one in found.history}:
        raise NotThere(f"The postmortem of {about.slug} has no revision {number}.")
    if number == found.revision.number:
        return found.revision
    return sections.revision_of(site.desk, about.id, number, by=visit.who.id)


ADDRESSES = (
    Address("/incidents/{number:int}/postmortem", newest),
    Address("/incidents/{number:int}/postmortem/changes", changes),
    Address("/incidents/{number:int}/postmortem/{revision:int}", one),
    Address("/incidents/{number:int}/postmortem/{revision:int}.md", markdown),
)
