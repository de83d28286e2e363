"""Incidents are found by their words, on both engines alike; private ones by their people alone."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from bot.domain.followup import LessonKind
from bot.domain.people import Person
from bot.domain.refusals import Refusal
from bot.domain.terms import read_terms
from bot.domain.timeline import Source
from bot.settings import shipped
from bot.store import people, postmortem, schema, search, timeline
from bot.store.db import Database
from bot.usecases.desk import Desk
from bot.usecases.followup import add_lesson
from bot.usecases.incident import cancel_incident, set_fact, set_title
from bot.usecases.people import meet
from bot.usecases.postmortem import compile_postmortem
from bot.usecases.search import Finding, search_incidents
from bot.usecases.sections import add_section, document, edit_section
from bot.usecases.timeline import MessageSeen, edit_entry, log_entry, log_message, undo_entry
from tests import postgres
from tests.bad_input import TEXTS
from tests.conftest import missing
from tests.desks import ANA, BEN, closed, desk_on, opened
from tests.test_rolling import revisions


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    with desk_on(database_url) as here:
        yield here


def found(desk: Desk, words: str, by: str = BEN) -> list[str]:
    """What was found: "1" for an incident, "1 #2: the text" for a hit."""
    lines = []
    for one in search_incidents(desk, words, by=by).found:
        lines.append(str(one.incident.number))
        lines += [f"{one.incident.number} {hit.where}: {hit.text}" for hit in one.hits]
    return lines


def test_everything_that_an_incident_says_finds_it_and_the_hit_is_shown(desk: Desk) -> None:
    one = closed(
        desk, "Logins fail", "auth1 takes 87 % of it", cause="weights of 200/10", fix="haproxy reloaded"
    )
    set_fact(desk, one, "impact", "half of the customers", by=ANA)
    add_lesson(desk, one, LessonKind.LUCKY, "the pager was charged", by=ANA)
    opened(desk, "something else")
    assert found(desk, "login failures") == ["1"]
    assert found(desk, "auth1") == ["1", "1 #2: auth1 takes 87 % of it"]
    assert found(desk, "weight") == ["1", "1 cause: weights of 200/10"]
    assert found(desk, "haproxy") == ["1", "1 fix: haproxy reloaded"]
    assert found(desk, "customer") == ["1", "1 impact: half of the customers"]
    assert found(desk, "pager") == ["1", "1 lesson: the pager was charged"]
    assert found(desk, "logins pager weights") == [
        "1",
        "1 cause: weights of 200/10",
        "1 lesson: the pager was charged",
    ]
    assert found(desk, "xylophone") == []
    assert found(desk, "inc-0002") == found(desk, "#2") == ["2"]


def test_all_of_the_words_come_before_some_of_them(desk: Desk) -> None:
    opened(desk, "the database is slow")
    opened(desk, "logins fail", "the database is slow")
    opened(desk, "logins are slow")
    whole = search_incidents(desk, "slow database", by=BEN)
    assert ([one.incident.number for one in whole.found], whole.is_whole, whole.total) == ([1, 2], True, 2)
    part = search_incidents(desk, "slow database xylophone", by=BEN)
    assert (part.is_whole, part.words) == (False, ("slow", "database", "xylophone"))
    assert [one.incident.number for one in part.found] == [1, 2, 3]
    few = search_incidents(desk, "slow", by=BEN, limit=2)
    assert (len(few.found), few.total) == (2, 3)


def test_former_words_and_undone_entries_are_not_found(desk: Desk) -> None:
    one = opened(desk, "logins fail", "the marmalade is empty", "a zebra ran through")
    assert found(desk, "marmalade") and found(desk, "zebra")
    edit_entry(desk, one, 2, text="the cache is empty", by=ANA)
    undo_entry(desk, one, number=3, by=ANA)
    assert found(desk, "marmalade") == found(desk, "zebra") == []
    assert found(desk, "cache") == ["1", "1 #2: the cache is empty"]
    for cause in ("a wombat", "a cable"):
        set_fact(desk, one, "cause", cause, by=ANA)
    undo_entry(desk, one, number=4, by=ANA)
    assert found(desk, "wombat") == []
    assert found(desk, "cable") == ["1", "1 cause: a cable"]
    set_title(desk, one, "logons break", by=ANA)
    assert found(desk, "logon") == ["1"]


def test_what_people_wrote_in_the_newest_postmortem_is_found_and_what_they_wrote_before_is_not(
    desk: Desk,
) -> None:
    one = closed(desk, "logins fail", "the pelican was slow")
    undo_entry(desk, one, number=2, by=ANA)
    assert found(desk, "pelican") == [], "what was compiled is no word of its own"
    add_section(desk, one, "What we learn", "Buy a *marmot* and a 10.0.0.5.", by=ANA)
    assert found(desk, "marmot") == ["1", "1 postmortem: Buy a *marmot* and a 10.0.0.5."]
    assert found(desk, "10.0.0.5")[:1] == ["1"]
    newest = document(desk, one, by=ANA)
    assert newest is not None
    (written,) = [part for part in newest.revision.sections if part.human]
    edit_section(desk, one, written.key, "Buy a badger.", made_from=written.text, by=ANA)
    compile_postmortem(desk, one, by=ANA)
    assert found(desk, "marmot") == []
    assert found(desk, "badger") == ["1", "1 postmortem: Buy a badger."]
    edit_section(desk, one, written.key, "獺 " * 60_000, made_from="Buy a badger.", by=ANA)
    assert found(desk, "badger") == [] and found(desk, "獺")[:1] == ["1"]


def test_a_message_that_is_marked_again_is_found_again(desk: Desk) -> None:
    one = opened(desk, "logins fail")
    with desk.db.writing() as session:
        session.execute(text("UPDATE incident SET channel_id = 'C1'"))
    message = MessageSeen("C1", "1717410600.000100", ANA, desk.clock(), "the ocelot restarted")

    def mark() -> None:
        log_message(desk, one, message, by=ANA, source=Source.PIN)

    mark()
    assert found(desk, "ocelot")
    undo_entry(desk, one, number=2, by=ANA)
    assert found(desk, "ocelot") == []
    mark()
    assert found(desk, "ocelot") == ["1", "1 #2: the ocelot restarted"]


def test_a_hit_is_plain_text_cut_about_the_word_with_people_by_name(desk: Desk) -> None:
    meet(desk, Person(BEN, "ben & co", seen_at=desk.clock()))
    hay = "straw " * 60
    opened(desk, "logins fail", f"{hay}<@{BEN}> saw *the needle* &amp; more {hay}")
    (_, hit) = found(desk, "needle")
    assert "… saw" not in hit and "@ben & co saw the needle & more" in hit
    assert hit.startswith("1 #2: …straw") and hit.endswith("…") and len(hit) < 180


def test_after_many_changes_the_index_holds_what_stands_and_nothing_else(desk: Desk) -> None:
    chance = random.Random(5)
    words = [
        f"{first}{second}" for first in ("alpha", "bravo", "delta") for second in ("fox", "golf", "hotel")
    ]

    def some() -> str:
        return " ".join(chance.sample(words, 2))

    numbers = [opened(desk, some()) for _ in range(3)]
    for _ in range(50):
        one = chance.choice(numbers)
        deed = chance.randrange(5)
        if deed == 0:
            set_fact(desk, one, chance.choice(["impact", "cause", "fix"]), some(), by=ANA)
        elif deed == 1:
            set_title(desk, one, some(), by=ANA)
        elif deed == 2:
            add_lesson(desk, one, LessonKind.LUCKY, some(), by=ANA)
        else:
            with desk.db.reading() as session:
                live = [entry for entry in timeline.live(session, one) if entry.source is Source.COMMAND]
            if not live or deed == 3:
                log_entry(desk, one, some(), by=ANA, source=Source.COMMAND)
            elif chance.random() < 0.5:
                edit_entry(desk, one, chance.choice(live).number, text=some(), by=ANA)
            else:
                undo_entry(desk, one, number=chance.choice(live).number, by=ANA)
    with desk.db.reading() as session:
        standing = {one: postmortem.facts(session, one, "UTC") for one in numbers}
        for word in words:
            (term,) = read_terms(word)
            holding = {
                one
                for one, facts in standing.items()
                for told in (
                    *(facts.incident.title, facts.incident.impact, facts.incident.cause, facts.incident.fix),
                    *(entry.text for entry in facts.entries),
                    *(lesson.text for lesson in facts.lessons),
                )
                if told and term.span(told)
            }
            assert set(search.holding(session, term)) == holding, word


def test_an_outsider_finds_nothing_of_a_private_incident(desk: Desk) -> None:
    secret = opened(desk, "payroll leaked", "the payroll is on a share", is_private=True)
    add_lesson(desk, secret, LessonKind.WENT_BADLY, "payroll was unlocked", by=ANA)
    opened(desk, "a share is full")
    for words in ("payroll", "payroll leaked", "inc-0001", "unlocked"):
        finding = search_incidents(desk, words, by=BEN)
        assert finding == Finding(finding.words, (), 0), words
    assert found(desk, "payroll share") == ["2"]
    assert found(desk, "payroll", by=ANA) == ["1"]
    with desk.db.writing() as session:
        people.join(session, secret, BEN, desk.clock())
    assert found(desk, "payroll") == ["1"]
    with desk.db.writing() as session:
        people.leave(session, secret, BEN, desk.clock())
        people.leave(session, secret, ANA, desk.clock())
    assert found(desk, "payroll") == found(desk, "payroll", by=ANA) == []


def test_whatever_is_typed_is_words_or_is_told_that_it_holds_none(desk: Desk) -> None:
    one = opened(desk, "登录失败 at 10.0.0.5 \U0001f525", 'it\'s half-open (50 %) NEAR "be_auth"')
    for name, typed in TEXTS.items():
        try:
            search_incidents(desk, typed, by=BEN)
        except Refusal as refusal:
            assert "`/incident search uneven traffic`" in refusal.sentence, name
            assert len(refusal.sentence) < 700, name
    cancel_incident(desk, one, by=ANA)
    for typed in ("失败", "\U0001f525", "10.0.0.5", "be_auth", "it's", "half open 50", "NEAR", '"登录'):
        assert found(desk, typed)[:1] == ["1"], typed
    for typed in ("fail NOT near", "10.0.5", "auth_be", "%alfway", "10 OR 11", "登失"):
        assert not search_incidents(desk, typed, by=BEN).is_whole or not found(desk, typed), typed


def test_what_is_typed_in_any_letters_never_breaks_the_question(desk: Desk) -> None:
    opened(desk, "logins fail")
    signs = "'\"\\*():^-+{}[]|&!<>~@#$%,;._/?=` \t\n\x00:a1é登\U0001f525"
    with desk.db.reading() as session:
        for first in signs:
            for second in "'\\ :é登":
                for term in read_terms(f"x{first}{second}y {first}{second}"):
                    search.holding(session, term)


# The index


def empty_url(engine: str, folder: Path) -> str:
    if engine == "sqlite":
        return f"sqlite:///{folder / 'lantern.db'}"
    try:
        return postgres.new_database(postgres.shared_cluster(), is_empty=True)
    except postgres.NoPostgres as absent:
        missing(f"PostgreSQL is not installed: {absent}.")
        raise AssertionError("unreachable") from absent


_INCIDENT = (
    "INSERT INTO incident (id, number, title, severity, status, is_private, is_drill, opened_at, opened_by, "
    "is_archived, cause, version, last_entry, last_follow_up, last_revision) VALUES "
    "({0}, {0}, 'logins fail', 'SEV2', 'closed', false, false, '2024-06-03 10:00:00', 'U1', false, "
    "'the weights &amp; more', 1, 2, 0, 0)"
)
_ENTRY = (
    "INSERT INTO entry (incident_id, number, kind, text, happened_at, recorded_at, author, recorded_by, source, "
    "permalink, images, edits, is_shown, undone_at) VALUES ({}, {}, 'note', '{}', '2024-06-03 10:00:00', "
    "'2024-06-03 10:00:00', 'U1', 'U1', 'command', '', '[]', 0, true, {})"
)
_LESSON = (
    "INSERT INTO lesson (incident_id, kind, text, created_at, created_by) "
    "VALUES ({}, 'lucky', 'the pager was charged', '2024-06-03 10:00:00', 'U1')"
)
_REVISION = (
    "INSERT INTO postmortem_revision (incident_id, number, markdown, digest, created_at, created_by, sections) "
    "VALUES ({}, {}, '', '', '2024-06-03 10:00:00', 'U1', {})"
)
_SECTIONS = """'[{{"key": "a", "title": "a", "compiled": "the narwhal", "human": "{}"}},
    {{"key": "b", "title": "b", "compiled": null, "human": null}}]'"""


def write(db: Database, number: int) -> None:
    """An incident as an older Lantern writes it, which knows of no index."""
    with db.writing() as session:
        for statement in (
            _INCIDENT.format(number),
            _ENTRY.format(number, 1, "the cache was empty", "NULL"),
            _ENTRY.format(number, 2, "a zebra", "'2024-06-03 11:00:00'"),
            _LESSON.format(number),
            _REVISION.format(number, 1, _SECTIONS.format("the yak")),
            _REVISION.format(number, 2, _SECTIONS.format("the tapir")),
            # By a Lantern from before there were sections.
            _REVISION.format(number, 3, "NULL"),
        ):
            session.exec_driver_sql(statement)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_migration_finds_what_was_there_and_an_older_lantern_keeps_it_in_step(
    engine: str, tmp_path: Path
) -> None:
    url = empty_url(engine, tmp_path)
    before = tmp_path / "before"
    shutil.copytree(shipped("migrations"), before, ignore=shutil.ignore_patterns("__pycache__"))
    all_of_them = revisions(before)
    words = next(at for at, one in enumerate(all_of_them) if one.path.endswith("_words.py"))
    for later in all_of_them[words:]:
        Path(later.path).unlink()
    db = Database(url)
    try:
        schema.migrate(db, before)
        write(db, 1)
    finally:
        db.close()
    with desk_on(url) as desk:
        for number in (1, 2):
            if number == 2:
                write(desk.db, 2)
            expected = {str(one) for one in range(1, number + 1)}
            for typed in ("login", "weights", "cache", "pager", "tapir"):
                assert {line.split()[0] for line in found(desk, typed)} == expected, typed
            for typed in ("zebra", "amp", "narwhal", "yak"):
                assert found(desk, typed) == [], typed


def test_postgresql_uses_its_indexes(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("SQLite has no other way than its index.")
    with desk_on(database_url) as desk, desk.db.engine.connect() as session:
        session.execute(text("SET enable_seqscan = off"))
        (term,) = read_terms("weights")
        statement, asked = search._asked(session, term)
        plan = session.execute(text(f"EXPLAIN {statement.text}"), asked)
        told = "\n".join(row[0] for row in plan)
    for table in ("incident", "entry", "lesson", "postmortem_revision"):
        assert f"ix_{table}_words" in told, told
