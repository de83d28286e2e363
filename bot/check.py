"""`lantern check`: settings, database, runbooks, template, manifest and Slack, in sentences.

Stands on the top floor beside wiring: it looks into every room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from sqlalchemy.exc import SQLAlchemyError

from bot.catalogue import read_catalogue
from bot.domain.outcomes import Refused, Undelivered
from bot.domain.runbook import short
from bot.domain.tracker import NoTracker
from bot.exporters import markdown
from bot.runbooks.reading import read_folder
from bot.settings import Settings, SettingsWrong, shipped
from bot.shelves import checkout
from bot.slack.client import Slack
from bot.store import schema
from bot.web.pages.sign_in import BACK
from bot.wiring import open_database, tracker_of, utc_now


@dataclass(frozen=True)
class Found:
    """One line of the report."""

    #: ok, note or wrong.
    mark: str
    sentence: str


def run_check(settings: Settings) -> int:
    """Print what is well and what is not. Gives 1 when something is wrong, else 0."""
    is_wrong = False
    for found in look(settings):
        is_wrong = is_wrong or found.mark == "wrong"
        print(f"{found.mark:<6} {found.sentence}")
    return 1 if is_wrong else 0


def look(settings: Settings) -> Iterator[Found]:
    """Every finding, room by room."""
    yield from _settings(settings)
    yield from _database(settings)
    yield from _runbooks(settings.runbooks)
    yield from _catalogue(settings.catalogue)
    yield from _template(settings.postmortem_template)
    yield from _console(settings)
    yield from _tracker(settings)
    yield from _slack(settings)


def _settings(settings: Settings) -> Iterator[Found]:
    missing = settings.missing_for_slack()
    for sentence in missing:
        yield Found("note", sentence)
    if not missing:
        ways = [
            way
            for way, is_set in (
                ("Socket Mode", settings.slack_app_token is not None),
                ("HTTP", settings.slack_signing_secret is not None),
            )
            if is_set
        ]
        yield Found("ok", f"Settings: Slack comes in by {' and '.join(ways)}.")
    if not settings.announce_channel:
        yield Found(
            "note", "LANTERN_ANNOUNCE_CHANNEL is not set: incidents are announced nowhere. E.g. #incidents"
        )


def _database(settings: Settings) -> Iterator[Found]:
    try:
        db = open_database(settings)
    except SettingsWrong as wrong:
        yield Found("wrong", str(wrong))
        return
    shown = db.url.render_as_string(hide_password=True)
    try:
        standing = schema.standing(db, shipped("migrations"))
        if standing.is_too_new:
            yield Found("wrong", f"Database: {shown}: {standing.sentence}")
        elif standing.is_newer:
            yield Found(
                "ok",
                f"Database: {shown} answers; its schema {standing.now} is newer and works with this one.",
            )
        elif not standing.sentence:
            yield Found("ok", f"Database: {shown} answers and has this version's schema.")
        elif db.dialect == "sqlite":
            yield Found(
                "note", f"Database: {shown} is new or older; `lantern serve` will bring it up to date."
            )
        else:
            yield Found("wrong", f"Database: {shown} has another schema. Run `lantern migrate`.")
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", error)).strip().splitlines()
        yield Found("wrong", f"Database: {shown} does not answer: {cause[0] if cause else 'no reason given'}")
    finally:
        db.close()


def _runbooks(folder: Path) -> Iterator[Found]:
    found, problems = read_folder(folder, today=utc_now().date())
    for problem in problems:
        yield Found("wrong" if problem.is_error else "note", str(problem))
    if found:
        commit = checkout(folder)
        source = f" of commit {short(commit)}" if commit else ""
        yield Found("ok", f"Runbooks{source}: {len(found)} can be followed ({', '.join(sorted(found))}).")
    else:
        yield Found("note", f"Runbooks: none in {folder}. Set LANTERN_RUNBOOKS to a folder of runbooks.")


def _catalogue(path: Path | None) -> Iterator[Found]:
    if path is None:
        yield Found(
            "note", "LANTERN_CATALOGUE is not set: no balancer is read. E.g. LANTERN_CATALOGUE=catalogue.yaml"
        )
        return
    services, problems = read_catalogue(path)
    for problem in problems:
        yield Found("wrong", f"Catalogue: {problem}")
    count = sum(len(service.balancers) for service in services.values())
    if not problems:
        yield Found("ok", f"Catalogue: {len(services)} services, {count} balancers in {path.name}.")


def _template(path: Path | None) -> Iterator[Found]:
    _, problems = markdown.load_template(path)
    for problem in problems:
        yield Found("wrong", f"{problem} Until then the built-in template is used.")
    if not problems:
        yield Found("ok", f"Postmortem template: {path if path is not None else 'the built-in one'}.")


def _console(settings: Settings) -> Iterator[Found]:
    if not settings.public_url:
        yield Found(
            "note",
            "LANTERN_PUBLIC_URL is not set: the console is off. E.g. LANTERN_PUBLIC_URL=https://lantern.example.com",
        )
        return
    missing = settings.missing_for_console()
    for sentence in missing:
        yield Found("wrong", f"Console: {sentence}")
    host = urlsplit(settings.public_url).hostname
    if settings.public_url.startswith("http:") and host not in {"127.0.0.1", "localhost", "::1"}:
        yield Found(
            "wrong",
            f"Console: {settings.public_url} is not https, so whoever listens on the way reads along, and Slack sends "
            "nobody back to it. Put a proxy with a certificate in front: LANTERN_PUBLIC_URL=https://...",
        )
    if not missing:
        yield Found(
            "ok",
            f"Console: {settings.public_url}. Slack must list {settings.public_url}{BACK} among the app's redirect "
            "URLs, and `openid` among its user scopes (app.yaml shows where).",
        )


def _tracker(settings: Settings) -> Iterator[Found]:
    if not settings.tracker:
        yield Found(
            "note",
            "LANTERN_TRACKER is not set: follow-ups are sent to no tracker. E.g. LANTERN_TRACKER=github:acme/web",
        )
        return
    try:
        tracker = tracker_of(settings)
        reached = tracker.reach() if tracker is not None else ""
    except NoTracker as wrong:
        yield Found("wrong", f"Tracker: {wrong.sentence}")
    except Refused as refused:
        yield Found("wrong", f"Tracker: {refused.sentence}")
    except Undelivered as trouble:
        yield Found("wrong", f"Tracker: {trouble}. Look at LANTERN_TRACKER_URL, or try again later.")
    else:
        yield Found("ok", f"Tracker: {reached}")


def _manifest_scopes() -> set[str]:
    read: dict[str, Any] = yaml.safe_load(shipped("app.yaml").read_text(encoding="utf-8"))
    return set(read["oauth_config"]["scopes"]["bot"])


def _slack(settings: Settings) -> Iterator[Found]:
    if settings.slack_bot_token is None:
        return
    slack = Slack(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)
    try:
        me = slack.identity
    except Undelivered as trouble:
        yield Found("wrong", f"Slack: {trouble}. {getattr(trouble, 'remedy', '')}".strip())
        return
    yield Found("ok", f"Slack: the bot is {me.bot_user_id} in {me.team_url}")
    missing = sorted(_manifest_scopes() - set(me.scopes))
    if not me.scopes:
        yield Found("note", "Slack does not say which scopes the token has.")
    elif missing:
        yield Found(
            "wrong",
            f"Slack: the token lacks {', '.join(missing)}. Reinstall the app from app.yaml to get them.",
        )
    else:
        yield Found("ok", "Slack: the token has every scope of app.yaml.")
    if settings.canvas and me.scopes and "canvases:write" not in me.scopes:
        yield Found(
            "wrong",
            "Slack: LANTERN_CANVAS is on and the token lacks canvases:write. Take the comment mark off the line "
            "`canvas` of app.yaml and reinstall the app, or set LANTERN_CANVAS=off.",
        )
    if settings.slack_app_token is not None:
        app = Slack(settings.slack_app_token.get_secret_value(), settings.slack_api_url)
        try:
            app.read("apps.connections.open")
        except Undelivered as trouble:
            yield Found("wrong", f"Slack: SLACK_APP_TOKEN cannot open a socket: {trouble}.")
        else:
            yield Found("ok", "Slack: SLACK_APP_TOKEN opens a socket.")
