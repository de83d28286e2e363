"""The console's site: who is visiting, what they may send, and the one place where it shows refusals.

A page is a function of the site and a visit, and gives an answer. Here everything is asked that no page may forget:
whether somebody is signed in, whether a form comes from our own page, and how an answer is sealed.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from bot.domain.outcomes import Undelivered
from bot.domain.people import Person
from bot.domain.refusals import NotThere, Refusal
from bot.store.db import NotSaved
from bot.usecases import export, sign_in
from bot.usecases.desk import Desk
from bot.usecases.sign_in import Visitor
from bot.web.answers import elsewhere, packed, page, sealed
from bot.web.attempts import Attempts
from bot.web.cookies import form_key, name_of
from bot.web.drawings import Drawings
from bot.web.lines import lines_of
from bot.web.shown import Look, look_of
from bot.web.static_files import read_static
from bot.web.visit import Visit

log = logging.getLogger(__name__)

#: Fields of a form that are not what somebody typed.
_NOT_TYPED = frozenset({"form_key", "origin", "seen", "shown", "made_from", "deed"})


class Introduces(Protocol):
    """What says who somebody is: Slack. All of it may raise Refusal with a sentence for them."""

    def address(self, *, state: str, nonce: str, redirect: str) -> str:
        """Where to send the browser."""

    def person(self, code: str, *, nonce: str, redirect: str, now: datetime) -> Person:
        """Who came back. Raises Refusal."""

    def member(self, person_id: str, *, now: datetime) -> Person:
        """The person now. Raises Refusal when they may not use the console (any more), or Undelivered."""


@dataclass(frozen=True)
class Address:
    """One address of the console, and the page behind it."""

    path: str
    show: Callable[[Site, Visit], Response]
    method: str = "GET"
    #: True for what is shown to browsers that are not signed in.
    is_open: bool = False


class Site:
    """What pages may reach. Threads share it."""

    def __init__(
        self,
        desk: Desk,
        introduces: Introduces,
        where: Callable[[], str],
        *,
        channel_link: Callable[[str], str] = lambda channel_id: "",
        is_automatic: bool = False,
    ) -> None:
        self.desk = desk
        self.introduces = introduces
        #: scheme://host:port that people type
        self.where = where
        #: The address of a channel in Slack, "" while nobody knows.
        self.channel_link = channel_link
        #: True: whoever is not signed in is sent to Slack without being asked (the demo).
        self.is_automatic = is_automatic
        self.attempts = Attempts()
        self.drawings = Drawings()
        self.files = read_static()
        self._templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

        self._templates.globals["formats"] = export.ready_formats()
        self.line = lines_of(self._templates.get_template("entry_line.html.j2"))

    @property
    def is_secure(self) -> bool:
        return self.where().startswith("https:")

    def cookie(self, what: str) -> str:
        return name_of(what, is_secure=self.is_secure)

    def now(self) -> datetime:
        return self.desk.now_for_outbox()

    # Drawing

    def look(self, visit: Visit) -> Look:
        return look_of(visit.visitor.person if visit.visitor else None, self.desk.clock())

    def drawn(self, visit: Visit, template: str, **values: object) -> str:
        """A template as HTML; everything that it is given is escaped."""
        values.setdefault("look", self.look(visit))
        return self._templates.get_template(template).render(
            visit=visit,
            visitor=visit.visitor,
            form_key=form_key(self._token(visit), secrets.token_hex(8)) if visit.visitor else "",
            origin=secrets.token_urlsafe(9),
            files=self.files,
            **values,
        )

    def paper(self, visit: Visit, template: str, status: int = 200, **values: object) -> Response:
        """A whole page."""
        return page(self.drawn(visit, template, **values), status)

    def sorry(self, visit: Visit, status: int, title: str, sentence: str) -> Response:
        """A page that says no, in a sentence of Slack's mrkdwn, with what was typed so that it is not lost."""
        typed = [(k, v) for k, v in visit.form.items() if k not in _NOT_TYPED and v.strip()]
        return self.paper(visit, "sorry.html.j2", status, title=title, sentence=sentence, typed=typed)

    # Answering

    def answer(self, address: Address, visit: Visit) -> Response:
        """The page's answer, or the reason why there is none."""
        try:
            visit = self._met(visit)
            no = self._why_not(address, visit)
            # What is open to everybody asks Slack, which takes its own time, before it asks the database.
            with nullcontext() if address.is_open else self.desk.in_time():
                found = no if no is not None else address.show(self, visit)
        except NotThere as absent:
            found = self.sorry(visit, 404, "Not found", absent.sentence)
        except NotSaved as lost:
            log.warning("not saved: %s", lost.why)
            found = self.sorry(visit, 503, "Not saved", lost.sentence)
        except Refusal as refusal:
            found = self.sorry(visit, 400, "That did not work", refusal.sentence)
        return self.sealed(packed(found, visit.headers.get("accept-encoding", "")))

    def sealed(self, answer: Response, *, keeps_for: int = 0) -> Response:
        return sealed(answer, is_secure=self.is_secure, keeps_for=keeps_for)

    def _token(self, visit: Visit) -> str:
        return visit.cookies.get(self.cookie("visitor"), "")

    def _met(self, visit: Visit) -> Visit:
        token = self._token(visit)
        with self.desk.in_time():
            found = sign_in.visitor_of(self.desk, token) if token else None
        if found is not None and sign_in.is_to_be_asked(self.desk, found):
            found = self._vouched(found)
        return replace(visit, visitor=found)

    def _vouched(self, visitor: Visitor) -> Visitor | None:
        """Ask Slack again: somebody may have been deactivated while Lantern did not listen."""
        try:
            someone = self.introduces.member(visitor.id, now=self.now())
        except Refusal as refusal:
            log.info("signed out everywhere: %s (%s)", visitor.id, refusal.sentence)
            sign_in.end_everywhere(self.desk, by=visitor.id)
            return None
        except Undelivered:
            # The console is wanted most while Slack is down.
            return visitor
        with suppress(NotSaved):
            sign_in.vouched_again(self.desk, someone)
        return replace(visitor, person=someone)

    def _why_not(self, address: Address, visit: Visit) -> Response | None:
        if visit.visitor is None and not address.is_open:
            if visit.method == "POST":
                return self.sorry(
                    visit,
                    401,
                    "Signed out",
                    "You are not signed in any more, so nothing was done. Sign in, then send it again.",
                )
            if visit.headers.get("sec-fetch-dest") == "empty":
                return Response(status_code=401)
            start = "/sign-in/start" if self.is_automatic else "/sign-in"
            return elsewhere(f"{start}?next={quote(visit.asked, safe='/')}")
        if visit.method == "POST" and not self._is_ours(visit):
            return self.sorry(
                visit,
                403,
                "Not from here",
                "That did not come from a page of this console, or the page was older than your sign-in, so nothing "
                "was done. Go back, load the page again and send it once more.",
            )
        return None

    def _is_ours(self, visit: Visit) -> bool:
        """True when a form was sent by a page of this site, which this sign-in was shown."""
        if visit.headers.get("origin") != self.where():
            return False
        given = visit.form.get("form_key", "")
        right = form_key(self._token(visit), given.partition(".")[0])
        return visit.visitor is not None and secrets.compare_digest(given.encode(), right.encode())
