"""The command line that works while Slack does not: open, log, close, postmortem, list, deliveries, export, backup.

The same use cases on the same database. A `lantern serve` beside it tells Slack; without one it waits in the outbox.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from bot import postmortem_talk
from bot.domain import zoned
from bot.domain.incident import Incident, Severity
from bot.domain.people import Person
from bot.domain.refusals import Refusal
from bot.domain.timeline import Kind, Source
from bot.settings import SettingsWrong, read_settings, shipped
from bot.store import schema
from bot.store.agreed import AgreedClock
from bot.store.backup import BackupFailed, copy_sqlite
from bot.store.db import Database, NotSaved
from bot.usecases import archive, operator
from bot.usecases.desk import Desk, Done
from bot.usecases.incident import open_incident
from bot.usecases.postmortem import Closing, close_incident, compile_postmortem
from bot.usecases.timeline import log_entry
from bot.wiring import build_desk, is_served, must_answer, open_database, utc_now

Deed = Callable[[Desk, argparse.Namespace], int]


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the commands to the parser of `lantern`."""
    opened = commands.add_parser("open", help="open an incident, also while Slack is down")
    opened.add_argument("title", help="what is wrong")
    opened.add_argument("--severity", default="", help="sev1 to sev4")
    opened.add_argument(
        "--service", default="", help="its service in the catalogue; else the one of the title"
    )
    opened.add_argument("--private", action="store_true", help="a private channel")
    opened.add_argument("--drill", action="store_true", help="a drill")
    _deed(opened, _open, is_writing=True, makes=True)

    logged = commands.add_parser("log", help="log an entry, also while Slack is down")
    logged.add_argument("incident", help="its number, for example 42 or inc-0042")
    logged.add_argument(
        "text", nargs="+", help='[time] [kind:] what happened, e.g. "10:30 UTC detection: alarms"'
    )
    _deed(logged, _log, is_writing=True)

    closed = commands.add_parser("close", help="close an incident and compile its draft")
    closed.add_argument("incident", help="its number")
    for name, what in (
        ("impact", "who was hurt, how"),
        ("cause", "the root cause"),
        ("fix", "what ended it"),
    ):
        closed.add_argument(f"--{name}", default="", help=what)
    closed.add_argument("--began", default="", help="when the impact began, e.g. '2024-06-03 10:00 UTC'")
    closed.add_argument("--ended", default="", help="when it ended")
    _deed(closed, _close, is_writing=True)

    drafted = commands.add_parser("postmortem", help="print the newest draft, or write it into a file")
    drafted.add_argument("incident", help="its number")
    postmortem_talk.add_arguments(drafted)
    _deed(drafted, _postmortem, is_writing=False)
    drafted.add_argument("--by", default=os.environ.get("LANTERN_BY", ""), help="who asks")

    listed = commands.add_parser("list", help="list open incidents")
    listed.add_argument("--all", action="store_true", help="also those that are over, and private ones")
    _deed(listed, _list, is_writing=False)

    waiting = commands.add_parser("deliveries", help="what waits to be told to Slack, and what was set aside")
    waiting.add_argument("--again", default="", metavar="NUMBER", help="send this one again, or `all`")
    _deed(waiting, _deliveries, is_writing=False)

    carried = commands.add_parser(
        "export", help="write incidents into one file: rows, and postmortems to read"
    )
    carried.add_argument("file", type=Path, help="the archive to make, e.g. lantern-2024-06-03.zip")
    carried.add_argument("incidents", nargs="*", help="their numbers (default: all, private ones too)")
    _deed(carried, _export, is_writing=False)

    taken_in = commands.add_parser("import", help="add the incidents of an archive to this database")
    taken_in.add_argument("file", type=Path, help="the archive")
    _deed(taken_in, _import, is_writing=False, makes=True)

    kept = commands.add_parser("backup", help="copy the database while it is in use")
    kept.add_argument("file", type=Path, help="the copy to make, e.g. lantern-2024-06-03.db")
    kept.add_argument("--env-file", type=Path, default=None, help="read settings from this file too")
    kept.set_defaults(deed=_backup)


def _deed(parser: argparse.ArgumentParser, deed: Deed, *, is_writing: bool, makes: bool = False) -> None:
    if is_writing:
        parser.add_argument(
            "--by",
            default=os.environ.get("LANTERN_BY", ""),
            help="who does it: a Slack id, or a name that Lantern has met (or set LANTERN_BY)",
        )
    parser.add_argument("--env-file", type=Path, default=None, help="read settings from this file too")

    def run(parsed: argparse.Namespace) -> int:
        with _desk(parsed, is_made=makes) as desk:
            try:
                return deed(desk, parsed)
            except Refusal as refusal:
                print(operator.plain(desk, refusal.sentence), file=sys.stderr)
            except NotSaved as lost:
                print(
                    f"This was NOT kept: the database did not take it ({lost.why}). Try again.",
                    file=sys.stderr,
                )
            return 1

    parser.set_defaults(deed=run)


@contextmanager
def _desk(parsed: argparse.Namespace, *, is_made: bool) -> Iterator[Desk]:
    """The desk on the settings' database. Raises SettingsWrong when there is none to use."""
    settings = read_settings(parsed.env_file)
    db = open_database(settings)
    try:
        if db.dialect == "sqlite" and not is_made and not Path(db.url.database or "").exists():
            raise SettingsWrong(
                [f"There is no database {db.url.database} yet, so there is nothing. `lantern open` makes it."]
            )
        must_answer(db)
        if db.dialect == "sqlite" and not is_served(db):
            schema.migrate(db, shipped("migrations"))
        why = schema.why_not(db, shipped("migrations"))
        if why:
            raise SettingsWrong([why])
        agreed = AgreedClock(db, utc_now)
        with suppress(NotSaved):
            agreed.agree()
        yield build_desk(settings, db, ring=lambda: None, clock=agreed, wall=agreed)
    finally:
        db.close()


def _by(desk: Desk, parsed: argparse.Namespace) -> Person:
    if not parsed.by:
        raise Refusal(
            "Say who does it: --by ana, --by U012ABCDEF, or LANTERN_BY=U012ABCDEF in the environment."
        )
    return operator.who(desk, parsed.by)


def _said(desk: Desk, done: Done) -> int:
    print(operator.plain(desk, done.text))
    served = is_served(desk.db)
    if served is not True and done.is_new:
        print("Slack is told as soon as `lantern serve` runs." if served is None else _NOT_SERVED)
    return 0


_NOT_SERVED = "No `lantern serve` runs on this database just now: Slack is told when one does."


def _open(desk: Desk, parsed: argparse.Namespace) -> int:
    by = _by(desk, parsed)
    severity = None
    if parsed.severity:
        word = parsed.severity.upper()
        if word not in Severity.__members__:
            raise Refusal(
                f"“{parsed.severity}” is no severity. There are sev1 (worst) to sev4: --severity sev2"
            )
        severity = Severity(word)
    done = open_incident(
        desk,
        parsed.title,
        by=by.id,
        severity=severity,
        is_private=parsed.private,
        is_drill=parsed.drill,
        service_name=parsed.service,
    )
    return _said(desk, done)


def _log(desk: Desk, parsed: argparse.Namespace) -> int:
    by = _by(desk, parsed)
    about = operator.incident_numbered(desk, parsed.incident)
    line = zoned.read_line(" ".join(parsed.text), now=desk.clock(), zone=zoned.zone_of(by))
    done = log_entry(
        desk,
        about.id,
        line.text,
        kind=line.kind or Kind.NOTE,
        happened_at=line.happened_at,
        source=Source.CLI,
        by=by.id,
    )
    return _said(desk, done)


def _close(desk: Desk, parsed: argparse.Namespace) -> int:
    by = _by(desk, parsed)
    about = operator.incident_numbered(desk, parsed.incident)

    def moment(text: str) -> datetime | None:
        return zoned.read_moment(text, now=desk.clock(), zone=zoned.zone_of(by)) if text.strip() else None

    closing = Closing(parsed.impact, parsed.cause, parsed.fix, moment(parsed.began), moment(parsed.ended))
    return _said(desk, close_incident(desk, about.id, closing, by=by.id))


def _postmortem(desk: Desk, parsed: argparse.Namespace) -> int:
    about = operator.incident_numbered(desk, parsed.incident)
    postmortem_talk.check_wish(parsed)
    if parsed.compile:
        compile_postmortem(desk, about.id, by=_by(desk, parsed).id)
    return postmortem_talk.hand_over(desk, about, parsed)


def _list(desk: Desk, parsed: argparse.Namespace) -> int:
    found = operator.all_incidents(desk, is_whole=parsed.all)
    for about in found:
        print(_line(desk, about))
    if not found:
        print(
            "There is no incident yet."
            if parsed.all
            else "No incident is open. `lantern list --all` shows the others."
        )
    return 0


def _line(desk: Desk, about: Incident) -> str:
    flags = [word for word, is_so in (("private", about.is_private), ("drill", about.is_drill)) if is_so]
    title = operator.plain(desk, about.title)
    extra = f" ({', '.join(flags)})" if flags else ""
    opened = f"{about.opened_at:%Y-%m-%d %H:%M} UTC"
    return f"{about.slug}  {about.severity.value}  {about.status.value:<13}  {opened}  {title}{extra}"


def _deliveries(desk: Desk, parsed: argparse.Namespace) -> int:
    if parsed.again:
        sent = operator.send_again(desk, parsed.again)
        print(f"Sent again: {', '.join(map(str, sent))}.")
        if is_served(desk.db) is False:
            print(_NOT_SERVED)
        return 0
    waiting = operator.deliveries_waiting(desk)
    print(f"{waiting.open} wait to be told to Slack, {len(waiting.set_aside)} were set aside.")
    for work, about in waiting.set_aside:
        where = about.slug if about is not None else "no incident"
        print(
            f"{work.id:>6}  {work.created_at:%Y-%m-%d %H:%M} UTC  {work.kind:<16}  {where}  {work.last_error or ''}"
        )
    if waiting.set_aside:
        print(
            f"Send one again when its reason is gone: lantern deliveries --again {waiting.set_aside[0][0].id}"
        )
    return 0


def _export(desk: Desk, parsed: argparse.Namespace) -> int:
    done = archive.export(
        desk, parsed.file, [operator.incident_numbered(desk, text).number for text in parsed.incidents]
    )
    size = parsed.file.stat().st_size
    print(f"{parsed.file} holds {_counted(done.incidents)}, {size:,} bytes. Keep it as safe as the database.")
    return 0


def _import(desk: Desk, parsed: argparse.Namespace) -> int:
    done = archive.carry_in(desk, parsed.file)
    print(f"Added {_counted(done.incidents)}.")
    if done.known:
        print(f"{_counted(done.known)} were here already, just so.")
    return 0


def _counted(numbers: list[int]) -> str:
    return f"{len(numbers)} incident{'' if len(numbers) == 1 else 's'}"


def _backup(parsed: argparse.Namespace) -> int:
    settings = read_settings(parsed.env_file)
    db: Database = open_database(settings)
    try:
        if db.dialect != "sqlite":
            shown = db.url.set(drivername="postgresql").render_as_string(hide_password=True)
            print(
                f"PostgreSQL has its own tool, which also works while Lantern runs:\n"
                f"  pg_dump --format=custom --file={parsed.file} '{shown}'",
                file=sys.stderr,
            )
            return 1
        kept = copy_sqlite(db.url, parsed.file)
    except BackupFailed as failed:
        print(failed, file=sys.stderr)
        return 1
    finally:
        db.close()
    print(f"{parsed.file}: {kept.incidents} incidents, {kept.entries} entries, {kept.size:,} bytes, checked.")
    return 0
