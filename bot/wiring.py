"""The only file that knows every floor: Settings -> a running house."""

from __future__ import annotations

import fcntl
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from bot.delivery import Postman
from bot.domain.outcomes import Refused, Undelivered
from bot.domain.pace import Pace
from bot.domain.postmortem import Facts, compile_draft
from bot.domain.tracker import NoTracker, Tracker
from bot.exporters import markdown
from bot.filing import SENDERS as FILING
from bot.settings import Settings, SettingsWrong, shipped
from bot.shelf import gather
from bot.shelves import catalogue_shelf, runbook_shelf
from bot.slack import senders
from bot.slack.app import SlackDoor
from bot.slack.catch_up import CatchUp
from bot.slack.client import Slack
from bot.slack.door import Door
from bot.slack.openid import OpenId
from bot.slack.post import Post
from bot.slack.socket_door import SocketDoor
from bot.slack.watchdog import Vigil
from bot.store import gates, inbox, outbox, schema, sign_in
from bot.store.agreed import AgreedClock
from bot.store.db import Database, NotSaved, Session
from bot.store.errand import Errand, Rhythm, Sender
from bot.store.outbox import Work
from bot.ticker import Deed, Ticker
from bot.tracker_kinds import tracker_at
from bot.usecases import deliveries, reminders, tracking
from bot.usecases.desk import Desk, Options
from bot.usecases.remembered import Remembered
from bot.web.app import Health, create_app
from bot.web.server import WebServer
from bot.web.site import Site

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The clock. Nothing else in bot/ reads it, but for spans that a monotonic clock measures."""
    return datetime.now(UTC)


class AlreadyRunning(Exception):
    """Another process serves from the same SQLite file."""


class House:
    """A running Lantern. Build it, start it, stop it."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] | None = None,
        machine: Callable[[], datetime] = utc_now,
        rhythm: Rhythm | None = None,
        pace: Pace | None = None,
        vigil: Vigil | None = None,
        between_reads: float = 1.6,
        tick: float = 60.0,
        is_console_automatic: bool = False,
    ) -> None:
        self.settings = settings
        self._lock_file: IO[bytes] | None = None
        self.db = open_database(settings)
        self._ring = threading.Event()
        self._wall = AgreedClock(self.db, machine)
        desk = build_desk(settings, self.db, clock=clock or self._wall, wall=self._wall, ring=self._ring.set)
        self.desk = replace(desk, console=lambda: "" if settings.missing_for_console() else self.console_url)
        token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
        secret = settings.slack_signing_secret.get_secret_value() if settings.slack_signing_secret else None
        self.slack = Slack(token, settings.slack_api_url)
        self.door = SlackDoor(Door(self.desk, self.slack), token=token, signing_secret=secret)
        self.postman = Postman(
            self.db,
            self._senders(),
            self._wall,
            self._ring,
            on_set_aside=self._set_aside,
            rhythm=rhythm,
            pace=pace,
        )
        site = self._site(is_console_automatic)
        app = create_app(self.door.http, Health(self.troubles, self._figures), site)
        self.web = WebServer(app, settings.host, settings.port)
        self._catch_up = CatchUp(self.desk, self.slack, between_calls=between_reads)
        self._socket = self._socket_door(vigil)
        self._stopping = threading.Event()
        self._is_delivering = False
        self._ticker = Ticker(
            [
                Deed("agreeing about the time", 60, self._wall.agree),
                Deed("sweeping", 3600, self._sweep),
                Deed("reminders", tick, lambda: reminders.remind_due(self.desk)),
                Deed("the weekly digest", tick, lambda: reminders.digest_due(self.desk)),
                Deed("reading issues", 5 * tick, lambda: tracking.issues_due(self.desk)),
            ]
        )

    def _site(self, is_automatic: bool) -> Site | None:
        """The console; None while it is off."""
        settings = self.settings
        for sentence in settings.missing_for_console():
            log.error("the console is off: %s", sentence)
        if not settings.public_url or settings.slack_client_secret is None or settings.missing_for_console():
            return None
        openid = OpenId(
            self.slack,
            api_url=settings.slack_api_url,
            client_id=settings.slack_client_id,
            client_secret=settings.slack_client_secret.get_secret_value(),
        )
        return Site(
            self.desk,
            openid,
            lambda: self.console_url,
            channel_link=self._channel_link,
            is_automatic=is_automatic,
        )

    @property
    def console_url(self) -> str:
        """Where people reach the console; port 0 is the one that the server got."""
        whole, _, port = self.settings.public_url.rpartition(":")
        return f"{whole}:{urlsplit(self.web.url).port}" if port == "0" else self.settings.public_url

    def _channel_link(self, channel_id: str) -> str:
        me = self.slack.known_identity
        return f"{me.team_url}archives/{channel_id}" if me is not None else ""

    def _senders(self) -> dict[str, Sender]:
        post = Post(
            slack=self.slack,
            desk=self.desk,
            channel_template=self.settings.channel_name,
            runbooks_url=self.settings.runbooks_url,
        )
        found: dict[str, Sender] = {}
        for module in gather(senders, "SENDERS"):
            for kind, send in module.SENDERS.items():

                def deliver(errand: Errand, send: Callable[[Post, Errand], None] = send) -> None:
                    send(post, errand)

                found[kind] = deliver
        for kind, send_elsewhere in FILING.items():
            found[kind] = partial(send_elsewhere, self.desk)
        return found

    def _set_aside(self, session: Session, work: Work, sentence: str) -> None:
        deliveries.set_aside(self.desk, session, work.kind, work.incident_id, work.asked_by, sentence)

    def start(self) -> None:
        """Migrate (SQLite), listen, deliver. Raises OSError, AlreadyRunning, SettingsWrong.

        What was started before one of these is raised runs on until stop().
        """
        must_answer(self.db)
        if self.db.dialect == "sqlite":
            self._lock_file = lock_sqlite(self.db)
            schema.migrate(self.db, shipped("migrations"))
            with self.db.writing() as session:
                outbox.free_running(session, self._wall())
        elif why_not := schema.why_not(self.db, shipped("migrations")):
            raise SettingsWrong([why_not])
        self._agree()
        self._meet_slack()
        # First what may be refused: an address that is in use, or a token.
        self.web.start()
        self.postman.start()
        self._is_delivering = True
        self._ticker.start()
        self._connect_socket()
        self._catch_up.start()

    def _meet_slack(self) -> None:
        try:
            me = self.slack.identity
        except Refused as refused:
            log.error("Slack refuses SLACK_BOT_TOKEN (%s). %s", refused.error, refused.remedy)
        except Undelivered as trouble:
            log.warning(
                "Slack does not answer yet (%s); what people type is kept and delivered later", trouble
            )
        else:
            log.info("connected to %s as %s", me.team_url, me.bot_user_id)

    def _socket_door(self, vigil: Vigil | None) -> SocketDoor | None:
        if self.settings.slack_app_token is None:
            return None
        return SocketDoor(
            self.door.app,
            self.settings.slack_app_token.get_secret_value(),
            self.settings.slack_api_url,
            vigil=vigil,
            on_regained=self._catch_up.ring,
            on_late=self.door.tell_late,
            in_time=self.desk.in_time,
        )

    def _connect_socket(self) -> None:
        if self._socket is None:
            return
        try:
            self._socket.open()
        except Refused as refused:
            raise SettingsWrong(
                [f"SLACK_APP_TOKEN: Slack refuses it ({refused.error}). {refused.remedy}"]
            ) from None

    def troubles(self) -> list[str]:
        """What is not well, by name; [] when everything is."""
        found = ["stopping"] if self._stopping.is_set() else []
        if not self.db.is_answering():
            found.append("database")
        if not self.postman.is_alive():
            found.append("postman")
        if self._socket is not None and not self._socket.is_hearing:
            found.append("socket mode")
        return found

    def _figures(self) -> dict[str, int]:
        try:
            with self.db.reading() as session:
                waiting = outbox.backlog(session, self._wall())
        except NotSaved:
            return {}
        return {"waiting": waiting.open + waiting.running, "set_aside": waiting.set_aside}

    def _agree(self) -> None:
        try:
            self._wall.agree()
        except NotSaved as trouble:
            log.warning("could not ask the database what time it is, will try again: %s", trouble.why)

    def _sweep(self) -> None:
        """Forget what nobody will ask for again."""
        before = self._wall() - timedelta(days=self.desk.options.keep_days)
        with self.db.writing() as session:
            outbox.sweep(session, before)
            gates.sweep(session, before)
            inbox.sweep(session, before)
            sign_in.sweep(session, self._wall())

    def stop(self) -> None:
        """Take nothing more in, finish what runs, then leave."""
        self._stopping.set()
        if self._socket is not None:
            self._socket.close()
        self.web.stop()
        self._catch_up.stop()
        self._ticker.stop()
        if self._is_delivering:
            self.postman.stop()
        self.db.close()
        if self._lock_file is not None:
            self._lock_file.close()


def build_desk(
    settings: Settings,
    db: Database,
    *,
    ring: Callable[[], None],
    clock: Callable[[], datetime] = utc_now,
    wall: Callable[[], datetime] = utc_now,
) -> Desk:
    """The desk of these settings: what use cases reach, with or without a house around it.

    `clock` is the time of incidents, `wall` that of the outbox; a story sets the one and not the other.
    """
    template, problems = markdown.load_template(settings.postmortem_template)
    for problem in problems:
        log.error("%s The built-in template is used.", problem)

    def compile_facts(facts: Facts) -> str:
        return markdown.render(compile_draft(facts), template)

    tracker, no_tracker = None, ""
    try:
        tracker = tracker_of(settings)
    except NoTracker as wrong:
        no_tracker = wrong.sentence
        log.error("follow-ups cannot be sent to a tracker: %s", no_tracker)

    return Desk(
        db=db,
        clock=clock,
        ring=ring,
        runbooks=runbook_shelf(settings.runbooks, lambda: utc_now().date()),
        services=catalogue_shelf(settings.catalogue),
        compile=Remembered(compile_facts),
        options=Options(
            announce_channel=settings.announce_channel,
            team_zone=settings.time_zone,
            default_severity=settings.default_severity,
            look_for=settings.balancer_window,
            is_canvas_on=settings.canvas,
        ),
        wall=wall,
        tracker=tracker,
        no_tracker=no_tracker,
    )


def tracker_of(settings: Settings) -> Tracker | None:
    """The tracker that is set; None without one. Raises NoTracker."""
    if not settings.tracker:
        return None
    token = settings.tracker_token.get_secret_value() if settings.tracker_token is not None else ""
    return tracker_at(settings.tracker, url=settings.tracker_url, token=token, user=settings.tracker_user)


def open_database(settings: Settings) -> Database:
    """The database of the settings; the folder of a SQLite file is made. Raises SettingsWrong."""
    db = Database(settings.database_url)
    if db.dialect == "sqlite" and db.url.database:
        folder = Path(db.url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsWrong(
                [f"LANTERN_DATABASE_URL: the folder {folder} cannot be made ({error.strerror})."]
            ) from None
    return db


def must_answer(db: Database) -> None:
    """Raises SettingsWrong when the database does not answer."""
    trouble = db.trouble()
    if trouble:
        shown = db.url.render_as_string(hide_password=True)
        raise SettingsWrong(
            [
                f"LANTERN_DATABASE_URL: {shown} does not answer ({trouble}). Start it, or correct the address, "
                "for example postgresql://user:password@host/database or sqlite:///folder/file.db"
            ]
        )


def is_served(db: Database) -> bool | None:
    """Whether a `lantern serve` runs on this database; None when that cannot be known from here (PostgreSQL)."""
    if db.dialect != "sqlite":
        return None
    try:
        lock_sqlite(db).close()
    except AlreadyRunning:
        return True
    return False


def lock_sqlite(db: Database) -> IO[bytes]:
    """Hold the SQLite file for this process alone. Raises AlreadyRunning."""
    assert db.url.database
    held = Path(f"{db.url.database}.serving").open("wb")  # noqa: SIM115 (held open as long as it serves)
    for _ in range(10):
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # A command that looks whether somebody serves holds it for a moment.
            time.sleep(0.02)
        else:
            return held
    held.close()
    raise AlreadyRunning(
        f"Another Lantern serves from {db.url.database}. Stop it first; several processes need PostgreSQL: "
        "LANTERN_DATABASE_URL=postgresql://user:password@host/database"
    )
