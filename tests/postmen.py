"""What the delivery tests stand on: a Slack that is a file, a quick rhythm, and a postman in its own process."""

from __future__ import annotations

import functools
import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bot.delivery import Postman
from bot.domain.pace import Pace
from bot.store import outbox
from bot.store.db import Database
from bot.store.errand import Errand, Rhythm, Sender

#: Everything thirty to a hundred times quicker than in earnest.
QUICK = Rhythm(
    poll_for=timedelta(seconds=0.05),
    lease_for=timedelta(seconds=1),
    heartbeat_for=timedelta(seconds=0.2),
    settle_for=timedelta(seconds=0.15),
    call_for=timedelta(seconds=0.15),
    back_off_from=timedelta(seconds=0.02),
    back_off_to=timedelta(seconds=0.1),
    give_up_after=timedelta(seconds=30),
)


def now() -> datetime:
    return datetime.now(UTC)


def wait_until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until it is so, and fail after that long."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.005)


class FileSlack:
    """Remembers posts in a file, so that processes that die share it. A post is a line."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def post(self, mark: str) -> dict[str, Any]:
        with self._path.open("a") as file:
            file.write(json.dumps({"mark": mark, "pid": os.getpid()}) + "\n")
        return {"ts": mark}

    def find(self, mark: str) -> dict[str, Any] | None:
        return {"ts": mark} if mark in self.marks() else None

    def posts(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        return [
            json.loads(line) for line in self._path.read_text().splitlines(keepends=True) if line[-1] == "\n"
        ]

    def marks(self) -> list[str]:
        return [post["mark"] for post in self.posts()]


def poster(slack: FileSlack, steps: int = 1, before: Callable[[], None] = lambda: None) -> Sender:
    """A sender of so many posts, each marked with its work and step, that looks before it repeats."""

    def send(errand: Errand) -> None:
        for step in range(steps):
            before()
            mark = f"{errand.args.get('n', errand.work.id)}.{step}"
            errand.step(
                f"post-{step}", functools.partial(slack.post, mark), look=functools.partial(slack.find, mark)
            )

    return send


def make_postman(
    db: Database, senders: Mapping[str, Sender], ring: threading.Event | None = None, **settings: Any
) -> Postman:
    """A quick postman without pacing."""
    settings = {"rhythm": QUICK, "pace": Pace(time.monotonic, {}, {}), "threads": 4} | settings
    return Postman(db, senders, now, ring or threading.Event(), **settings)


def put(db: Database, kind: str, key: str, **parcel: Any) -> int | None:
    coalesce = parcel.pop("coalesce", False)
    with db.writing() as session:
        put_in = outbox.Parcel(kind, key, **parcel)
        kept = outbox.coalesce(session, put_in) if coalesce else None
        return kept or outbox.put(session, put_in, now())


def is_all_done(db: Database) -> bool:
    with db.reading() as session:
        left = outbox.backlog(session, now())
    return left.open + left.running == 0


class Fuse:
    """Kills this process, as kill -9 does, at the nth point it passes."""

    def __init__(self, points: int) -> None:
        self._left = points
        self._lock = threading.Lock()

    def pass_point(self) -> None:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def guide_tour(slack: FileSlack, fuse: Fuse | None = None) -> dict[str, Sender]:
    """Two steps, of which the first puts a further work in its own commit: the shape of opening an incident."""
    burn = fuse.pass_point if fuse is not None else (lambda: None)

    def post(mark: str) -> dict[str, Any]:
        burn()
        answer = slack.post(mark)
        burn()
        return answer

    def follow(session: Any, result: dict[str, Any]) -> None:
        parcel = outbox.Parcel("follow", "followers", {"mark": result["ts"] + "+"}, result["ts"] + "+")
        outbox.put(session, parcel, now())

    def tour(errand: Errand) -> None:
        for name, then in (("first", follow), ("second", None)):
            errand.step(
                name,
                functools.partial(post, name),
                look=functools.partial(slack.find, name),
                then=then,
            )

    def follow_up(errand: Errand) -> None:
        mark = errand.args["mark"]
        errand.step("post", functools.partial(post, mark), look=functools.partial(slack.find, mark))

    return {"tour": tour, "follow": follow_up}


def _run_tour(url: str, slack_path: Path, fuse_points: int) -> None:
    db = Database(url)
    fuse = Fuse(fuse_points)
    event.listen(db.engine, "commit", lambda _connection: fuse.pass_point())
    senders = guide_tour(FileSlack(slack_path), fuse)
    # One thread and no heartbeat: the points come in the same order every time.
    rhythm = Rhythm(lease_for=timedelta(seconds=0.5), call_for=timedelta(0), heartbeat_for=timedelta(hours=1))
    postman = make_postman(db, senders, threads=1, rhythm=rhythm)
    postman.start()
    wait_until(lambda: is_all_done(db))
    postman.stop()


def _run_poster(url: str, slack_path: Path, pause: float) -> None:
    """Posts of three steps each, for ever."""
    db = Database(url)
    postman = make_postman(
        db, {"post": poster(FileSlack(slack_path), steps=3, before=functools.partial(time.sleep, pause))}
    )
    postman.start()
    while True:
        time.sleep(1)


@functools.cache
def _forks() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.postmen"])
    return context


def start_tour(url: str, slack_path: Path, fuse_points: int) -> BaseProcess:
    """A process that makes the tour until its fuse kills it."""
    return _start(_run_tour, url, slack_path, fuse_points)


def start_poster(url: str, slack_path: Path, pause: float) -> BaseProcess:
    """A process that posts until it is killed."""
    return _start(_run_poster, url, slack_path, pause)


def _start(target: Callable[..., None], *args: Any) -> BaseProcess:
    child = _forks().Process(target=target, args=args, daemon=True)
    child.start()
    return child
