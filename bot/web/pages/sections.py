"""A postmortem as it is written: its sections edited, added and settled, compiled again, reviewed and published."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from bot.domain import sections as parts
from bot.domain.incident import Incident
from bot.domain.refusals import NotThere, Refusal
from bot.domain.review import ReviewState
from bot.domain.sections import Section
from bot.store.db import NotSaved
from bot.usecases import postmortem, review, sections, sight
from bot.usecases.desk import Done
from bot.usecases.sections import Document
from bot.web.answers import elsewhere
from bot.web.document import html_of
from bot.web.pages import postmortem as reading
from bot.web.site import Address, Site
from bot.web.visit import Visit


def show(site: Site, visit: Visit) -> Response:
    """The form of one section. Raises NotThere."""
    about, found, section = _chosen(site, visit)
    return _form(site, visit, about, found, section, text=section.text)


def save(site: Site, visit: Visit) -> Response:
    """Save a section, or show what it would look like. Raises NotThere."""
    about, found, section = _chosen(site, visit)
    text = visit.form.get("text", "")
    made_from = visit.numbered("made_from") or found.revision.number
    if visit.form.get("deed") == "preview":
        return _form(site, visit, about, found, section, text=text, made_from=made_from, is_preview=True)
    try:
        before = _text_of(site, visit, about, found, made_from)
        done = sections.edit_section(
            site.desk,
            about.id,
            section.key,
            text,
            made_from=before,
            by=visit.who.id,
            origin=visit.origin(text, str(made_from)),
        )
    except Refusal as refusal:
        # Read anew: what was written meanwhile is shown beside what was typed, and saved over only after that.
        about, found, section = _chosen(site, visit)
        return _form(site, visit, about, found, section, text=text, wrong=refusal)
    return _back(about, "saved" if done.is_new else "same", section.key)


def _chosen(site: Site, visit: Visit) -> tuple[Incident, Document, Section]:
    about, found, _ = reading.looked_at(site, visit)
    key = str(visit.places["key"])
    section = next((one for one in found.revision.sections if one.key == key), None) if found else None
    if found is None or section is None:
        raise NotThere(f"The postmortem of {about.slug} has no such section (any more).")
    return about, found, section


def _text_of(site: Site, visit: Visit, about: Incident, found: Document, number: int) -> str:
    """What the section said in the revision that the person had before them."""
    seen = found.revision
    if number != seen.number:
        seen = sections.revision_of(site.desk, about.id, number, by=visit.who.id)
    return parts.find(seen.sections, str(visit.places["key"])).text


def _form(
    site: Site,
    visit: Visit,
    about: Incident,
    found: Document,
    section: Section,
    *,
    text: str,
    made_from: int | None = None,
    wrong: Refusal | None = None,
    is_preview: bool = False,
) -> Response:
    is_other = (
        wrong is not None
        and _lines(text) != section.text
        and visit.numbered("made_from") != found.revision.number
    )
    return site.paper(
        visit,
        "section.html.j2",
        _status(wrong),
        about=about,
        section=section,
        name=section.title or "The beginning",
        text=text,
        too_long=len(text) if len(text) > parts.LONGEST and wrong is None else 0,
        longest=parts.LONGEST,
        made_from=made_from or found.revision.number,
        wrong=wrong.sentence if wrong is not None else "",
        stands=section.text if is_other else None,
        preview=html_of(_lines(text)) if is_preview else None,
        facts=section.compiled if section.is_human else None,
    )


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").strip("\n")


def _status(wrong: Refusal | None) -> int:
    if wrong is None:
        return 200
    return 503 if isinstance(wrong, NotSaved) else 422


def settle(site: Site, visit: Visit) -> Response:
    """Say what stands: people's words, or what the facts give. Raises NotThere."""
    key, stands = str(visit.places["key"]), visit.form.get("stands", "")

    def act(about: Incident) -> Done:
        if stands not in ("ours", "facts"):
            raise Refusal("Say which stands: press “Keep ours” or “Take the facts”.")
        return sections.settle_section(
            site.desk,
            about.id,
            key,
            is_human_kept=stands == "ours",
            by=visit.who.id,
            origin=visit.origin(stands),
        )

    return _done(site, visit, act, "saved", key)


def show_new(site: Site, visit: Visit) -> Response:
    """The form of a section of people's own. Raises NotThere."""
    return _new(site, visit)


def add(site: Site, visit: Visit) -> Response:
    """Add a section, or show what it would look like. Raises NotThere."""
    about = sight.incident_by_number(site.desk, visit.number("number"), by=visit.who.id)
    title, text = visit.form.get("title", ""), visit.form.get("text", "")
    if visit.form.get("deed") == "preview":
        return _new(site, visit, is_preview=True)
    try:
        done = sections.add_section(
            site.desk, about.id, title, text, by=visit.who.id, origin=visit.origin(title, text)
        )
    except NotThere:
        raise
    except Refusal as refusal:
        return _new(site, visit, wrong=refusal)
    return _back(about, "saved" if done.is_new else "same")


def _new(site: Site, visit: Visit, *, wrong: Refusal | None = None, is_preview: bool = False) -> Response:
    about = sight.incident_by_number(site.desk, visit.number("number"), by=visit.who.id)
    title, text = " ".join(visit.form.get("title", "").split()), visit.form.get("text", "")
    return site.paper(
        visit,
        "section_new.html.j2",
        _status(wrong),
        about=about,
        title=title,
        text=text,
        wrong=wrong.sentence if wrong is not None else "",
        field=(wrong.field or "title") if wrong is not None else "",
        preview=html_of(f"## {title}\n\n{_lines(text)}") if is_preview else None,
    )


def compile_again(site: Site, visit: Visit) -> Response:
    """Bring what the facts give up to now; what people wrote stays. Raises NotThere."""

    def act(about: Incident) -> Done:
        return postmortem.compile_postmortem(
            site.desk, about.id, by=visit.who.id, origin=visit.origin("compile")
        )

    return _done(site, visit, act, "compiled")


def set_state(site: Site, visit: Visit) -> Response:
    """Put it into review, publish it, or make it a draft again. Raises NotThere."""
    wanted, reason = visit.form.get("state", ""), visit.form.get("reason", "")
    origin = visit.origin(wanted, reason)

    def act(about: Incident) -> Done:
        if wanted == ReviewState.PUBLISHED:
            return review.publish(
                site.desk,
                about.id,
                reason=reason,
                looked_at=visit.numbered("revision"),
                by=visit.who.id,
                origin=origin,
            )
        if wanted not in {one.value for one in ReviewState}:
            raise Refusal("A postmortem is a draft, in review or published: press one of the buttons.")
        return review.set_review(site.desk, about.id, ReviewState(wanted), by=visit.who.id, origin=origin)

    return _done(site, visit, act, {"in review": "review"}.get(wanted, wanted))


def _done(site: Site, visit: Visit, act: Callable[[Incident], Done], word: str, key: str = "") -> Response:
    """Do it and go back to the postmortem, which shows a refusal at its top."""
    about = sight.incident_by_number(site.desk, visit.number("number"), by=visit.who.id)
    try:
        act(about)
    except NotThere:
        raise
    except Refusal as refusal:
        return reading.draw(
            site, visit, _status(refusal), wrong=refusal.sentence, reason=visit.form.get("reason", "")
        )
    return _back(about, word, key)


def _back(about: Incident, word: str, key: str = "") -> Response:
    return elsewhere(f"/incidents/{about.number}/postmortem?did={word}{f'#part-{key}' if key else ''}")


_BASE = "/incidents/{number:int}/postmortem"
ADDRESSES = (
    Address(f"{_BASE}/sections/{{key}}", show),
    Address(f"{_BASE}/sections/{{key}}", save, "POST"),
    Address(f"{_BASE}/sections/{{key}}/settle", settle, "POST"),
    Address(f"{_BASE}/new-section", show_new),
    Address(f"{_BASE}/new-section", add, "POST"),
    Address(f"{_BASE}/compile", compile_again, "POST"),
    Address(f"{_BASE}/state", set_state, "POST"),
)
