"""lantern serve | demo | check | migrate  (also `python -m bot`)."""

from __future__ import annotations

import argparse
import errno
import gc
import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from bot import __version__, balancer_talk, incident_talk, runbook_talk
from bot.settings import Settings, SettingsWrong, read_settings, shipped
from bot.store import schema
from bot.wiring import AlreadyRunning, House, must_answer, open_database

Deed = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Gives the exit status: 0 well, 1 something is wrong, 2 wrong usage."""
    parsed = _parser().parse_args(arguments)
    deed: Deed = parsed.deed
    try:
        return deed(parsed)
    except SettingsWrong as wrong:
        for sentence in wrong.sentences:
            print(sentence, file=sys.stderr)
    except AlreadyRunning as running:
        print(running, file=sys.stderr)
    except OSError as error:
        print(_about(error), file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lantern", description="An incident-response bot for Slack that a team runs itself."
    )
    parser.add_argument("--version", action="version", version=f"lantern {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    serve = commands.add_parser("serve", help="run the bot against Slack")
    serve.set_defaults(deed=_serve)
    demo = commands.add_parser(
        "demo", help="try it in the browser: a small Slack of its own, nothing else needed"
    )
    demo.add_argument(
        "--port", type=int, default=8765, help="port of the page (default 8765; 0 takes a free one)"
    )
    demo.add_argument("--no-browser", action="store_true", help="do not open the page")
    demo.set_defaults(deed=_demo)
    check = commands.add_parser(
        "check", help="look at settings, database, runbooks, template, manifest and Slack"
    )
    check.set_defaults(deed=_check)
    migrate = commands.add_parser("migrate", help="bring the database to this version's schema")
    migrate.set_defaults(deed=_migrate)
    incident_talk.add_commands(commands)
    balancer_talk.add_commands(commands)
    runbook_talk.add_commands(commands)
    for one in (serve, check, migrate):
        one.add_argument("--env-file", type=Path, default=None, help="read settings from this file too")
    return parser


def _about(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"That address is in use ({error}). Choose another port: LANTERN_PORT=8081, or demo --port 0."
    return f"It did not work: {error}"


def _log_to_stderr(level: str) -> None:
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    # The SDKs say at INFO what they send and receive; that may hold what people typed.
    for noisy in ("slack_bolt", "slack_sdk", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _settings(parsed: argparse.Namespace) -> Settings:
    return read_settings(parsed.env_file)


def asked_to_stop() -> threading.Event:
    """Set when the process is asked to stop (SIGTERM, Ctrl-C), from now on: also while it starts."""
    asked = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: asked.set())
    return asked


def _serve(parsed: argparse.Namespace) -> int:
    settings = _settings(parsed)
    missing = settings.missing_for_slack()
    if missing:
        raise SettingsWrong([*missing, "To try Lantern without Slack: `lantern demo`."])
    _log_to_stderr(settings.log_level)
    asked = asked_to_stop()
    house = House(settings)
    try:
        house.start()
        _collect_less()
        print(f"Lantern {__version__} is running. Health: {house.web.url}/readyz", file=sys.stderr)
        asked.wait()
        print("Stopping: finishing what runs.", file=sys.stderr)
    finally:
        house.stop()
    return 0


def _collect_less() -> None:
    """Let the garbage collector, which stops every thread, not go through what a start leaves and always stays.

    A full round took 60 ms of every second or two under load (tests/bench/README.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _demo(parsed: argparse.Namespace) -> int:
    # The stand-in is a neighbour that a real installation never loads.
    from bot.demo import run_demo

    return run_demo(port=parsed.port, is_browser_opened=not parsed.no_browser, wait=asked_to_stop().wait)


def _check(parsed: argparse.Namespace) -> int:
    from bot.check import run_check

    return run_check(_settings(parsed))


def _migrate(parsed: argparse.Namespace) -> int:
    settings = _settings(parsed)
    db = open_database(settings)
    try:
        must_answer(db)
        schema.migrate(db, shipped("migrations"))
    finally:
        db.close()
    print("The database is at this version's schema.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
