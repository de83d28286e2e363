"""Entries of the timeline: added, corrected, put at another time and undone, with the use cases that Slack has."""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from bot.domain import zoned
from bot.domain.field import from_field, to_field
from bot.domain.incident import Incident
from bot.domain.refusals import NotThere, Refusal
from bot.domain.timeline import Kind, Source
from bot.store.db import NotSaved
from bot.usecases import record, sight, timeline
from bot.usecases.desk import Done
from bot.usecases.postmortem import facts_of
from bot.usecases.record import EntryRead
from bot.usecases.timeline import EditedMeanwhile
from bot.web.answers import elsewhere, entry_at
from bot.web.pages import incident as incident_page
from bot.web.shown import Look
from bot.web.site import Address, Site
from bot.web.visit import Visit

_WRITTEN_BY_LANTERN = (Source.AUTOMATIC, Source.RUNBOOK)


def add(site: Site, visit: Visit) -> Response:
    """Log what the form says; a refusal shows the page again with what was typed. Raises NotThere."""
    about = sight.incident_by_number(site.desk, visit.number("number"), by=visit.who.id)
    typed = {name: visit.form.get(name, "") for name in ("text", "kind", "when")}
    field = "when" if typed["when"].strip() else "text"
    try:
        text, kind, happened_at = _read(site, visit, typed)
        field = "text"
        done = timeline.log_entry(
            site.desk,
            about.id,
            _marked(site, visit, about, text),
            kind=kind,
            happened_at=happened_at,
            source=Source.WEB,
            by=visit.who.id,
            origin=visit.origin(*typed.values()),
        )
    except NotThere:
        raise
    except Refusal as refusal:
        status = 503 if isinstance(refusal, NotSaved) else 422
        return incident_page.draw(
            site,
            visit,
            status,
            **typed,
            wrong=refusal.sentence,
            wrong_field=field,
            kept_origin=visit.form.get("origin", ""),
        )
    return _on(about, "logged", done)


def _read(site: Site, visit: Visit, typed: dict[str, str]) -> tuple[str, Kind, datetime | None]:
    """Text, kind and moment: from their fields, or, when those are empty, from the text as `/log` reads it."""
    zone, now = zoned.zone_of(visit.who.person), site.desk.clock()
    chosen = next((kind for kind in Kind if kind.value == typed["kind"]), None)
    if chosen is None and not typed["when"].strip():
        line = zoned.read_line(typed["text"], now=now, zone=zone)
        return line.text, line.kind or Kind.NOTE, line.happened_at
    moment = zoned.read_moment(typed["when"], now=now, zone=zone) if typed["when"].strip() else None
    return typed["text"], chosen or Kind.NOTE, moment


def _marked(site: Site, visit: Visit, about: Incident, text: str) -> str:
    """What was typed, as mrkdwn; @name of somebody in the incident is a mention."""
    if "@" not in text and "#" not in text:
        return from_field(text, "", {}, {})
    facts = facts_of(site.desk, about.id, by=visit.who.id)
    names = {one.id: one.name for one in facts.people.values()}
    return from_field(text, " ".join(f"<@{one}>" for one in names), names, facts.channels)


def show(site: Site, visit: Visit) -> Response:
    """One entry: the form that corrects it, and what it said before. Raises NotThere."""
    return _draw(site, visit, 200)


def _draw(site: Site, visit: Visit, status: int, *, wrong: str = "", wrong_field: str = "") -> Response:
    found, look = _looked_at(site, visit)
    about, entry = found.incident, found.entry
    names = {one.id: one.name for one in look.people.values()}
    # Of somebody whose zone nobody knows, a time is taken with its zone only.
    zone = "" if zoned.zone_of(visit.who.person) is not None else " UTC"
    now_typed = look.typed(entry.happened_at) + zone
    form = {
        "text": to_field(entry.text, names, look.channels),
        "kind": entry.kind.value,
        "when": now_typed,
        **{name: visit.form[name] for name in ("text", "kind", "when") if name in visit.form},
    }
    kinds = (
        incident_page.KINDS if entry.kind is not Kind.RUNBOOK else (*incident_page.KINDS, Kind.RUNBOOK.value)
    )
    return site.paper(
        visit,
        "entry.html.j2",
        status,
        about=about,
        entry=entry,
        back=entry_at(about.number, entry.number),
        history=found.history,
        look=look,
        form=form,
        now_typed=now_typed,
        kinds=kinds,
        wrong=wrong,
        wrong_field=wrong_field,
        is_undoable=entry.undone_at is None and entry.source not in _WRITTEN_BY_LANTERN,
    )


def _looked_at(site: Site, visit: Visit) -> tuple[EntryRead, Look]:
    found = record.entry_read(site.desk, visit.number("number"), visit.number("entry"), by=visit.who.id)
    people = {**found.people, visit.who.id: visit.who.person}
    return found, Look(site.desk.clock(), site.look(visit).zone, people, found.channels)


def edit(site: Site, visit: Visit) -> Response:
    """Correct the entry. Raises NotThere."""
    found, look = _looked_at(site, visit)
    about, entry = found.incident, found.entry
    names = {one.id: one.name for one in look.people.values()}
    typed = visit.form.get("text", "")
    when = visit.form.get("when", "").strip()
    field = "when"
    try:
        # An untouched time keeps its seconds; the field shows minutes.
        is_moved = bool(when) and when != visit.form.get("shown", "")
        zone, now = zoned.zone_of(visit.who.person), site.desk.clock()
        happened_at = zoned.read_moment(when, now=now, zone=zone) if is_moved else None
        field = "text"
        is_changed = _same_lines(typed) != _same_lines(to_field(entry.text, names, look.channels))
        done = timeline.edit_entry(
            site.desk,
            about.id,
            entry.number,
            text=from_field(_same_lines(typed), entry.text, names, look.channels) if is_changed else None,
            kind=next((kind for kind in Kind if kind.value == visit.form.get("kind")), None),
            happened_at=happened_at,
            seen_edits=visit.numbered("seen"),
            by=visit.who.id,
            origin=visit.origin(typed, when, visit.form.get("kind", ""), visit.form.get("seen", "")),
        )
    except NotThere:
        raise
    except EditedMeanwhile as meanwhile:
        return _draw(site, visit, 409, wrong=meanwhile.sentence)
    except Refusal as refusal:
        status = 503 if isinstance(refusal, NotSaved) else 422
        return _draw(site, visit, status, wrong=refusal.sentence, wrong_field=field)
    return _on(about, "edited" if done.is_new else "same", done)


def undo(site: Site, visit: Visit) -> Response:
    """Take the entry back. Raises NotThere."""
    about = sight.incident_by_number(site.desk, visit.number("number"), by=visit.who.id)
    try:
        done = timeline.undo_entry(
            site.desk, about.id, number=visit.number("entry"), by=visit.who.id, origin=visit.origin("undo")
        )
    except NotThere:
        raise
    except Refusal as refusal:
        return _draw(site, visit, 422, wrong=refusal.sentence)
    return _on(about, "undone", done)


def _same_lines(text: str) -> str:
    """As browsers send it, lines end in two characters."""
    return text.replace("\r\n", "\n").strip()


def _on(about: Incident, word: str, done: Done) -> Response:
    return elsewhere(entry_at(about.number, done.entry or 0, did=f"{word}-{done.entry}"))


ADDRESSES = (
    Address("/incidents/{number:int}/entries", add, "POST"),
    Address("/incidents/{number:int}/entries/{entry:int}", show),
    Address("/incidents/{number:int}/entries/{entry:int}", edit, "POST"),
    Address("/incidents/{number:int}/entries/{entry:int}/undo", undo, "POST"),
)
