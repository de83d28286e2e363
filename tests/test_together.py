"""Many who write to SQLite at the same moment share one transaction, and notice nothing of each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError

from bot.domain.refusals import Refusal
from bot.store.db import Database, NotSaved, Session

MANY = 12


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'together.db'}", pool_size=4)
    with database.writing() as session:
        session.exec_driver_sql("CREATE TABLE said (word TEXT UNIQUE)")
        session.exec_driver_sql(
            "CREATE TABLE answered (word TEXT REFERENCES said (word) DEFERRABLE INITIALLY DEFERRED)"
        )
    yield database
    database.close()


def say(word: str) -> Callable[[Session], str]:
    def act(session: Session) -> str:
        session.exec_driver_sql("INSERT INTO said VALUES (?)", (word,))
        return word

    return act


def said(db: Database) -> set[str]:
    with db.reading() as session:
        return set(session.exec_driver_sql("SELECT word FROM said").scalars())


def all_at_once(db: Database, acts: list[Callable[[Session], str]]) -> tuple[list[Future[str]], int]:
    """Let everybody come while somebody else writes; how each ended, and the number of commits."""
    commits: list[object] = []

    def count(connection: object) -> None:
        commits.append(connection)

    event.listen(db.engine, "commit", count)
    with ThreadPoolExecutor(len(acts)) as pool:
        with db.writing():
            ends = [pool.submit(db.write, act, is_once=True) for act in acts]
            while db.waiting < len(acts):
                threading.Event().wait(0.005)
        for end in ends:
            end.exception(20)
    event.remove(db.engine, "commit", count)
    return ends, len(commits) - 1


def test_whoever_waits_is_in_one_commit_and_gets_his_own_answer(db: Database) -> None:
    words = [f"word {number}" for number in range(MANY)]
    ends, commits = all_at_once(db, [say(word) for word in words])
    assert [end.result() for end in ends] == words
    assert said(db) == set(words)
    assert commits == 1


def test_what_is_refused_leaves_nothing_and_disturbs_nobody(db: Database) -> None:
    def refuse(session: Session) -> str:
        say("refused")(session)
        raise Refusal("No.")

    ends, commits = all_at_once(db, [say("before"), refuse, say("after")])
    assert isinstance(ends[1].exception(), Refusal)
    assert said(db) == {"before", "after"}
    assert commits == 1


def say_twice(session: Session) -> str:
    say("twice")(session)
    return say("twice")(session)


@pytest.mark.parametrize("mistake", [say_twice, lambda session: str(1 / 0)])
def test_a_mistake_is_nobody_elses(db: Database, mistake: Callable[[Session], str]) -> None:
    ends, commits = all_at_once(db, [say("one"), mistake, say("two")])
    assert isinstance(ends[1].exception(), (IntegrityError, ZeroDivisionError))
    assert [ends[0].result(), ends[2].result()] == ["one", "two"]
    assert said(db) == {"one", "two"}
    assert commits == 2, "each alone, and the mistake not at all"


def test_whoever_waited_too_long_is_told_and_nothing_is_done(db: Database) -> None:
    def in_no_time() -> str:
        with db.within(0.05):
            return db.write(say("late"), is_once=True)

    with ThreadPoolExecutor(2) as pool:
        with db.writing():
            ends = [pool.submit(in_no_time) for _ in range(2)]
            for end in ends:
                assert isinstance(end.exception(20), NotSaved)
        assert pool.submit(db.write, say("next"), is_once=True).result(20) == "next"
    assert said(db) == {"next"}


def answer_nobody(session: Session) -> str:
    """SQLite finds out in the commit, and leaves the transaction open."""
    session.exec_driver_sql("INSERT INTO answered VALUES ('nobody')")
    return "answered"


def test_when_the_commit_fails_each_tries_again(db: Database) -> None:
    ends, commits = all_at_once(db, [say("one"), answer_nobody, say("two")])
    assert isinstance(ends[1].exception(), IntegrityError)
    assert [ends[0].result(), ends[2].result()] == ["one", "two"]
    assert said(db) == {"one", "two"}
    assert commits == 4, "all together, then each alone"
