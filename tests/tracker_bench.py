"""Follow-ups on a desk with a tracker and a postman, and no Slack: what a person would be told is kept in a list."""

from __future__ import annotations

import functools
import inspect
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.process import BaseProcess
from typing import Any

from bot import filing
from bot.delivery import Postman
from bot.domain import notices
from bot.domain.followup import FollowUp
from bot.domain.people import Person
from bot.store import followup, people
from bot.store.db import Session
from bot.store.errand import Errand, Rhythm, Sender
from bot.store.outbox import Work
from bot.usecases import deliveries, tracking
from bot.usecases.desk import Desk
from bot.usecases.followup import add_follow_up
from tests.desks import ANA, BEN, desk_on, opened
from tests.postmen import QUICK, is_all_done, make_postman, wait_until


def senders_of(desk: Desk, told: list[str]) -> dict[str, Sender]:
    """Those of the tracker in earnest; a word to a person is kept, and the rest of Slack is not there."""

    def keep(errand: Errand) -> None:
        told.append(str(errand.args["text"]))

    found: dict[str, Sender] = {
        name: lambda _errand: None
        for name, one in inspect.getmembers(notices, inspect.isclass)
        if issubclass(one, notices.Notice)
    }
    found |= {kind: functools.partial(send, desk) for kind, send in filing.SENDERS.items()}
    return found | {"Whispered": keep, "PersonTold": keep}


@dataclass
class Bench:
    desk: Desk
    incident_id: int
    #: What people were told.
    told: list[str] = field(default_factory=list)
    started: list[Postman] = field(default_factory=list)

    def notes(self, text: str = "review the weights", **more: Any) -> int:
        """A further follow-up; its number."""
        add_follow_up(self.desk, self.incident_id, text, by=ANA, **more)
        return len(self.all())

    def sends(self, number: int, **more: Any) -> str:
        return tracking.send_follow_up(self.desk, self.incident_id, number, by=ANA, **more).text

    def all(self) -> list[FollowUp]:
        with self.desk.db.reading() as session:
            return followup.of(session, self.incident_id)

    def one(self, number: int) -> FollowUp:
        return self.all()[number - 1]

    def postman(self, rhythm: Rhythm = QUICK, **more: Any) -> Postman:
        def aside(session: Session, work: Work, sentence: str) -> None:
            deliveries.set_aside(self.desk, session, work.kind, work.incident_id, work.asked_by, sentence)

        senders = senders_of(self.desk, self.told)
        postman = make_postman(self.desk.db, senders, on_set_aside=aside, rhythm=rhythm, **more)
        self.started.append(postman)
        postman.start()
        return postman

    def delivers(self) -> None:
        """Everything is done, by a postman who runs on."""
        if not self.started:
            self.postman()
        wait_until(lambda: is_all_done(self.desk.db))

    def reads(self, number: int) -> FollowUp:
        """The hour is over, and its issue is read."""
        long_ago = self.desk.now_for_outbox() - tracking.READ_EVERY - timedelta(minutes=1)
        with self.desk.db.writing() as session:
            followup.save(session, self.one(number).id, tracker_state_at=long_ago)
        assert tracking.issues_due(self.desk)
        self.delivers()
        return self.one(number)


@contextmanager
def bench_on(url: str, settings: dict[str, Any], *, is_private: bool = False, **more: Any) -> Iterator[Bench]:
    """An incident with a tracker beside it."""
    with desk_on(url, **settings) as desk:
        desk = replace(desk, **more)
        with desk.db.writing() as session:
            for person in (Person(ANA, "ana"), Person(BEN, "ben")):
                people.save(session, person)
        here = Bench(desk, opened(desk, "logins fail for payroll", is_private=is_private))
        try:
            yield here
        finally:
            for postman in here.started:
                assert postman.stop()


def _deliver(url: str, settings: dict[str, Any]) -> None:
    with desk_on(url, **settings) as desk:
        postman = make_postman(desk.db, senders_of(desk, []))
        postman.start()
        while True:
            time.sleep(1)


@functools.cache
def _forks() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.tracker_bench"])
    return context


def start_deliverer(url: str, settings: dict[str, Any]) -> BaseProcess:
    """A postman in a process of its own, to be killed."""
    child = _forks().Process(target=_deliver, args=(url, settings), daemon=True)
    child.start()
    return child
