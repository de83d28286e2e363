"""The postmortem in the canvas of its incident's channel, where the settings ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from bot.domain import markup
from bot.domain.incident import Incident
from bot.domain.notices import CanvasDue, PersonTold
from bot.domain.postmortem import Revision
from bot.store import inbox
from bot.store import incident as incidents
from bot.store import postmortem as postmortems
from bot.store.db import Session
from bot.usecases.desk import Desk


@dataclass(frozen=True)
class Paper:
    """What the canvas is to say, and where it is."""

    incident: Incident
    revision: Revision
    #: The canvas that Lantern made; None while it has made none.
    canvas_id: str | None
    #: Web address of the postmortem in the console; "" while that is off.
    page: str

    @property
    def link(self) -> str:
        """Where the whole postmortem is; "" when nobody knows."""
        return self.page or self.incident.draft_permalink or ""


def in_canvas(desk: Desk, incident_id: int, revision: int) -> tuple[CanvasDue, ...]:
    """The notice that a revision is to stand in the canvas; () while canvases are off."""
    return (CanvasDue(incident_id, revision),) if desk.options.is_canvas_on else ()


def paper(desk: Desk, incident_id: int, revision: int) -> Paper:
    """What is to be written, as things are now."""
    with desk.db.reading() as session:
        about = incidents.get(session, incident_id)
        kept = incidents.slack_marks(session, incident_id)["canvas_id"]
        found = postmortems.get_revision(session, incident_id, revision)
    return Paper(about, found, kept, desk.page_of(about.number, "/postmortem"))


def canvas_made(session: Session, incident_id: int, canvas_id: str) -> None:
    """The channel has a canvas of Lantern's."""
    incidents.mark(session, incident_id, canvas_id=canvas_id)


def canvas_refused(desk: Desk, session: Session, incident_id: int, to: str | None, sentence: str) -> None:
    """Tell whoever asked, once for each reason: the same text is in the channel as a file."""
    about = incidents.get(session, incident_id)
    person = to or about.opened_by
    heard = sha256(f"{incident_id} {person} {sentence}".encode()).hexdigest()
    if inbox.arrive(session, f"canvas:{heard}", desk.now_for_outbox()):
        text = (
            f"The postmortem of {about.slug} is not in the channel's canvas: {markup.escape(sentence)} "
            "The file in the channel says the same."
        )
        desk.tell(session, PersonTold(incident_id, person, text))
