"""The desk: what a use case may reach. And `Done`: what every deed answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from bot.domain.catalogue import Service
from bot.domain.notices import Notice
from bot.domain.postmortem import Facts
from bot.domain.runbook import Runbook
from bot.domain.tracker import Tracker
from bot.store import inbox, outbox
from bot.store.db import PATIENCE, Database, Session, when_committed
from bot.usecases.met import Met


@dataclass(frozen=True)
class Options:
    """The settings that use cases need."""

    #: Channel id or name for announcements; "" announces nowhere.
    announce_channel: str = ""
    #: IANA zone printed beside UTC in documents.
    team_zone: str = "UTC"
    #: Severity of an incident opened without one.
    default_severity: str = "SEV3"
    #: Seconds between the two looks at a balancer, and the most that is waited for enough requests.
    look_for: float = 20.0
    look_at_most: float = 60.0
    #: Whether the postmortem also goes into the canvas of the incident's channel.
    is_canvas_on: bool = False
    #: Days a delivered notice and an arrival are remembered.
    keep_days: int = 7


@dataclass(frozen=True)
class Done:
    """What a deed answers. A second delivery of the same request gets the very same one."""

    #: The sentence for the person, Slack mrkdwn.
    text: str
    incident_id: int | None = None
    #: Number of the entry it made, when it made one.
    entry: int | None = None
    #: False when it was done before and nothing changed now.
    is_new: bool = True


@dataclass(frozen=True)
class Desk:
    """What a use case may reach; wiring builds it."""

    db: Database
    #: Aware UTC now. In the demo's guided story it tells the story's time.
    clock: Callable[[], datetime]
    #: Wakes the postman.
    ring: Callable[[], None]
    #: The runbooks by id, as the folder holds them now.
    runbooks: Callable[[], Mapping[str, Runbook]]
    #: Facts -> the postmortem as Markdown, by the team's template or the built-in one.
    compile: Callable[[Facts], str]
    options: Options = field(default_factory=Options)
    #: The catalogue's services by name, as the file holds them now.
    services: Callable[[], Mapping[str, Service]] = dict
    #: Real time for the outbox, whatever `clock` says.
    wall: Callable[[], datetime] | None = None
    met: Met = field(default_factory=Met)
    #: scheme://host of the console, as people type it; "" while it is off.
    console: Callable[[], str] = str
    #: The team's issue tracker; None without one, and then `no_tracker` says why it cannot be used, if one is set.
    tracker: Tracker | None = None
    no_tracker: str = ""

    def page_of(self, number: int, more: str = "") -> str:
        """The web address of an incident's page in the console; "" while that is off."""
        where = self.console()
        return f"{where}/incidents/{number}{more}" if where else ""

    def once(self, origin: str | None, act: Callable[[Session], Done]) -> Done:
        """Run `act` in one transaction; for an origin that has arrived before, give the first answer.

        Raises what `act` raises (then nothing is kept, not even the arrival), NotSaved and PerhapsSaved.
        `act` may run more than once and must change nothing but the session.
        """
        tries = 0

        def act_once(session: Session) -> Done:
            nonlocal tries
            tries += 1
            if origin is not None and not inbox.arrive(session, origin, self.now_for_outbox()):
                kept = inbox.answer_to(session, origin) or vars(Done(""))
                # In a further try it may be our own: its commit broke off after all was written.
                return Done(**{**kept, "is_new": kept["is_new"] and tries > 1})
            done = act(session)
            if origin is not None:
                inbox.keep_answer(session, origin, vars(done))
            return done

        return self.db.write(act_once, is_once=origin is not None)

    def in_time(self, waited: float = 0.0) -> AbstractContextManager[None]:
        """While a person waits for an answer, and has waited so many seconds: the database gets the rest."""
        return self.db.within(max(0.0, PATIENCE - waited))

    def now_for_outbox(self) -> datetime:
        return (self.wall or self.clock)()

    def tell(
        self, session: Session, *notices: Notice, asked_by: str | None = None, asked_in: str | None = None
    ) -> None:
        """Put notices into the outbox, in the transaction that makes them true, and wake the postman after it."""
        for notice in notices:
            parcel = outbox.Parcel(
                kind=notice.kind,
                key=notice.key,
                args=notice.args,
                dedup_key=f"{notice.kind}:{notice.incident_id}:{uuid4().hex}",
                incident_id=notice.incident_id,
                asked_by=asked_by,
                asked_in=asked_in,
            )
            if notice.is_latest_only and outbox.coalesce(session, parcel) is not None:
                # Whoever put it has woken the postman.
                continue
            outbox.put(session, parcel, self.now_for_outbox())
            when_committed(session, self.ring)
