"""A postmortem to take along: everything that an exporter may write, and the exporters by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, cast

from bot import exporters
from bot.domain.export import Export, Picture
from bot.domain.incident import Incident
from bot.domain.refusals import NotThere, Refusal
from bot.domain.timeline import Entry
from bot.shelf import gather
from bot.store import image as images
from bot.store import postmortem as postmortems
from bot.store.db import Session
from bot.usecases.desk import Desk
from bot.usecases.sight import numbered

#: Bytes of the images in one document; what is above is named and not shown.
MOST_IMAGES = 60 * 1024 * 1024


class Exporter(Protocol):
    """One file of bot/exporters."""

    NAME: str
    TITLE: str
    SUFFIX: str
    MEDIA_TYPE: str

    def write(self, export: Export) -> bytes: ...


@dataclass(frozen=True)
class Paper:
    """A file to hand over."""

    #: inc-0042-postmortem-3.html
    name: str
    media_type: str
    content: bytes


def formats() -> dict[str, Exporter]:
    """Every exporter by the word people type."""
    found = gather(exporters, "NAME", "TITLE", "SUFFIX", "MEDIA_TYPE", "write")
    return {one.NAME: one for one in cast("list[Exporter]", found)}


def ready_formats() -> dict[str, Exporter]:
    """Those that lack nothing here: an exporter that wants an extra says whether it is installed by is_ready()."""
    return {name: one for name, one in formats().items() if getattr(one, "is_ready", lambda: True)()}


def paper_of(desk: Desk, number: int, form: str, *, by: str) -> Paper:
    """The newest revision as a file, for somebody who may see the incident. Raises NotThere, Refusal."""
    with desk.db.reading() as session:
        export = _gathered(desk, session, numbered(session, number, by))
    return _written(export, form)


def paper_of_operator(desk: Desk, about: Incident, form: str) -> Paper:
    """Likewise for whoever runs Lantern on its own machine. Raises Refusal."""
    with desk.db.reading() as session:
        export = _gathered(desk, session, about)
    return _written(export, form)


def _written(export: Export, form: str) -> Paper:
    exporter = formats().get(form)
    if exporter is None:
        raise Refusal(
            f"“{form[:40]}” is no format of a postmortem. There are {', '.join(sorted(formats()))}."
        )
    name = f"{export.facts.incident.slug}-postmortem-{export.revision.number}{exporter.SUFFIX}"
    return Paper(name, exporter.MEDIA_TYPE, exporter.write(export))


def _gathered(desk: Desk, session: Session, about: Incident) -> Export:
    revision = postmortems.latest(session, about.id)
    if revision is None:
        raise NotThere(
            f"{about.slug} has no postmortem yet. Closing it compiles one; "
            "`/postmortem compile` in its channel does so before."
        )
    facts = postmortems.facts(session, about.id, desk.options.team_zone)
    return Export(
        facts,
        revision,
        postmortems.review(session, about.id),
        tuple(_pictures(session, about.id, facts.entries)),
        desk.clock(),
    )


def _pictures(session: Session, incident_id: int, entries: Iterable[Entry]) -> Iterable[Picture]:
    stored = images.of(session, incident_id)
    room = MOST_IMAGES
    for entry in sorted(entries, key=lambda one: (one.happened_at, one.number)):
        for place, image in enumerate(entry.images, start=1):
            kept = stored.get(image.file_id)
            content = None
            if kept is not None and not kept.note and kept.size <= room:
                content = images.content(session, incident_id, image.file_id)
                room -= kept.size
            yield Picture(entry, place, image.name or image.file_id, image.permalink, kept, content)
