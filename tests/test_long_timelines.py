"""An incident with more entries than a page takes: no entry is lost, none is shown twice, no page asks more often."""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, insert, update

from bot.domain.merge import alike, merged
from bot.domain.sections import LONGEST
from bot.domain.timeline import AT_ONCE, Kind, Source, Stretch, Window
from bot.settings import Settings, shipped
from bot.store import schema, timeline
from bot.store.db import Database
from bot.store.tables import entry, incident
from bot.usecases.desk import Desk
from bot.usecases.postmortem import compile_postmortem
from bot.usecases.remembered import Remembered
from bot.web.document import compared, cut
from bot.wiring import build_desk
from tests.houses import Town
from tests.rooms import Room, hasty_town, opened
from tests.story import login_outage
from tests.visiting import Visitor

BEGUN = datetime(2026, 3, 1, 22, tzinfo=UTC)


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """A desk with two incidents, 1 and 2, without entries."""
    db = Database(database_url)
    schema.migrate(db, shipped("migrations"))
    row = {"severity": "SEV2", "status": "investigating", "is_private": False, "is_drill": False}
    with db.writing() as session:
        for number in (1, 2):
            about = {"id": number, "number": number, "title": "logins fail", "opened_at": BEGUN}
            session.execute(insert(incident).values(**row, **about, opened_by="UANA", last_entry=5000))
    yield build_desk(Settings(database_url=database_url), db, ring=lambda: None)
    db.close()


def fill(db: Database, incident_id: int, many: int, first: int = 1, words: int = 3) -> None:
    """Entries in no order, several of them in the same second, some undone."""
    chance = random.Random(5)
    rows = [
        {
            "incident_id": incident_id,
            "number": number,
            "kind": chance.choice(list(Kind)).value,
            "text": f"the {number}th word " * words,
            "happened_at": BEGUN + timedelta(seconds=chance.randrange(max(3, many // 3))),
            "recorded_at": BEGUN + timedelta(hours=1),
            "author": "UANA",
            "recorded_by": "UANA",
            "source": "command",
            "undone_at": BEGUN if number % 40 == 0 else None,
            "posted_ts": f"{number}.000000",
        }
        for number in range(first, first + many)
    ]
    with db.writing() as session:
        session.execute(insert(entry), rows)
        session.execute(
            update(incident).where(incident.c.id == incident_id).values(last_entry=first + many, version=7)
        )


def part(desk: Desk, window: Window) -> Stretch:
    with desk.db.reading() as session:
        return timeline.stretch(session, 1, window)


def numbers(stretch: Stretch) -> list[int]:
    return [one.number for one in stretch.entries]


def test_going_from_part_to_part_shows_every_entry_once_in_both_directions(desk: Desk) -> None:
    fill(desk.db, 1, 130)
    with desk.db.reading() as session:
        all_of_them = [one.number for one in timeline.live(session, 1)]
    backward, forward = part(desk, Window(most=25)), part(desk, Window(is_earliest=True, most=25))
    seen_backward, seen_forward = numbers(backward), numbers(forward)
    while backward.earlier:
        assert backward.total == len(all_of_them)
        backward = part(desk, Window(before=numbers(backward)[0], most=25))
        seen_backward = numbers(backward) + seen_backward
    while forward.later:
        assert forward.earlier + len(forward.entries) + forward.later == len(all_of_them)
        forward = part(desk, Window(after=numbers(forward)[-1], most=25))
        seen_forward += numbers(forward)
    assert seen_backward == seen_forward == all_of_them
    assert numbers(part(desk, Window(is_all=True))) == all_of_them
    for wanted in (all_of_them[0], all_of_them[60], all_of_them[-1]):
        assert wanted in numbers(part(desk, Window(at=wanted, most=25)))
    # A number that no entry has, and one before everything: nothing breaks, nothing is invented.
    assert numbers(part(desk, Window(before=9999, most=25))) == all_of_them[-25:]
    assert part(desk, Window(before=all_of_them[0], most=25)) == Stretch((), 0, len(all_of_them))
    assert part(desk, Window(after=all_of_them[-1], most=25)) == Stretch((), len(all_of_them), 0)


def test_what_is_logged_about_earlier_while_somebody_reads_moves_nothing_out_of_sight(desk: Desk) -> None:
    fill(desk.db, 1, 130)
    latest = part(desk, Window(most=25))
    late = {"kind": Kind.NOTE, "author": "UANA", "recorded_by": "UANA", "source": Source.WEB}
    with desk.db.writing() as session:
        timeline.add(
            session, incident_id=1, number=900, text="late", happened_at=BEGUN, recorded_at=BEGUN, **late
        )
        timeline.save(session, latest.entries[0].id, undone_at=BEGUN, undone_by="UANA")
    rest = numbers(part(desk, Window(before=numbers(latest)[0], most=200)))
    with desk.db.reading() as session:
        standing = [one.number for one in timeline.live(session, 1)]
    assert rest + numbers(latest)[1:] == standing and 900 in rest


@contextmanager
def counted(db: Database, by_pages: bool = False) -> Iterator[list[str]]:
    """The statements of this thread, or of the threads that draw pages."""
    told: list[str] = []
    here = threading.current_thread()

    def note(connection: object, cursor: object, statement: str, *rest: object) -> None:
        thread = threading.current_thread()
        if thread.name.startswith("AnyIO") if by_pages else thread is here:
            told.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield told
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_compiling_asks_the_database_as_often_for_150_entries_as_for_9(desk: Desk) -> None:
    fill(desk.db, 1, 9)
    fill(desk.db, 2, 150)
    with counted(desk.db) as few:
        compile_postmortem(desk, 1, by="UEVE")
    with counted(desk.db) as many:
        compile_postmortem(desk, 2, by="UEVE")
    assert len(few) == len(many) > 0


# On the pages


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("long-timelines"), console=True) as here:
        yield here


@pytest.fixture(scope="module")
def ana(town: Town) -> Visitor:
    visitor = Visitor(town)
    visitor.signs_in(town.ana.id)
    return visitor


@pytest.fixture(scope="module")
def long(town: Town) -> Room:
    room = opened(town, "/incident open logins fail sev2")
    fill(town.house.db, room.about.id, 620, 100)
    return room


def shown(text: str) -> list[int]:
    return [int(one) for one in re.findall(r'id="entry-(\d+)"', text)]


def test_a_page_shows_the_latest_entries_and_leads_to_every_other(ana: Visitor, long: Room) -> None:
    here = f"/incidents/{long.number}"
    standing = [one.number for one in long.entries]
    page = ana.gets(here)
    assert len(shown(page.text)) == AT_ONCE and f"of {len(standing):,}" in page.words
    seen = shown(page.text)
    while (more := re.search(r'href="(\?before=\d+)#timeline">[\d,]+ earlier', page.text)) is not None:
        page = ana.gets(here + more[1])
        seen += shown(page.text)
    assert seen == standing[::-1]
    whole = ana.gets(f"{here}?show=all")
    assert sorted(shown(whole.text)) == sorted(standing)
    # Asked for every two seconds it would be a megabyte each time.
    assert "data-live" not in whole.text and "does not follow" in whole.words


def test_an_entry_is_found_on_its_part_of_the_timeline(ana: Visitor, long: Room) -> None:
    first = long.entries[40]
    page = ana.gets(f"/incidents/{long.number}/entries/{first.number}")
    back = re.search(r'href="(/incidents/\d+\?at=\d+)#entry-\d+"', page.text)
    assert back is not None
    there = ana.gets(back[1])
    assert first.number in shown(there.text) and "later" in there.words
    window = re.search(r'data-window="([^"]*)"', there.text)
    assert window is not None
    live = ana.gets(f"/incidents/{long.number}/live?pulse=none&order=newest&{window[1]}")
    assert shown(live.text) == shown(there.text)


def test_pages_ask_the_database_no_more_often_for_a_long_timeline(
    town: Town, ana: Visitor, long: Room
) -> None:
    short = opened(town, "/incident open search is slow sev4")
    for room in (short, long):
        compile_postmortem(town.house.desk, room.about.id, by=town.ana.id)
    town.settled()
    number = {room.number: room.entries[-1].number for room in (short, long)}
    for page in ("", "?show=all", "/live?pulse=none", "/postmortem", "/postmortem.json", "/entries/{}"):
        asked = []
        for room in (short, long):
            with counted(town.house.db, by_pages=True) as told:
                path = f"/incidents/{room.number}{page.format(number[room.number])}"
                assert ana.gets(path).status == 200, path
            asked.append(len([one for one in told if not one.startswith("PRAGMA")]))
        # Which part of a long timeline is shown, and what is drawn of it, is one question each.
        assert 0 < asked[1] <= asked[0] + 2, (page, asked)


def test_a_long_section_is_cut_until_the_whole_of_it_is_asked_for(ana: Visitor, long: Room) -> None:
    here = f"/incidents/{long.number}/postmortem"
    page = ana.gets(here)
    assert "more lines are left out here" in page.words
    whole = ana.gets(f"{here}?whole=timeline")
    assert whole.text.count("<li>") > page.text.count("<li>") + len(long.entries) // 2
    former = ana.gets(f"{here}/1")
    assert "more lines are left out here" in former.words
    assert "left out" not in ana.gets(f"{here}/1?whole=all").words
    form = ana.gets(f"{here}/sections/timeline")
    text = form.text.partition("<textarea")[2]
    assert len(text) < LONGEST + 2000


def test_a_section_that_nobody_could_save_says_what_to_do_instead(
    town: Town, ana: Visitor, long: Room
) -> None:
    fill(town.house.db, long.about.id, 30, 2000, words=500)
    compile_postmortem(town.house.desk, long.about.id, by=town.ana.id)
    form = ana.gets(f"/incidents/{long.number}/postmortem/sections/timeline")
    assert form.status == 200 and "<textarea" not in form.text
    assert "a person writes 200,000 at most" in form.words and "a section of your own" in form.words


# Texts


def test_a_text_is_cut_between_two_items_and_never_inside_of_a_fence() -> None:
    items = [f"- item {number}\n\n  ```\n- not an item\n  ```\n" for number in range(50)]
    text = "\n".join(items)
    for longest in range(1, len(text), 37):
        kept, left = cut(text, longest)
        assert text.startswith(kept) and len(kept.split("\n")) + left == len(text.split("\n"))
        assert kept.count("```") % 2 == 0 and (not left or len(kept) < longest + 80)
    assert cut(text, len(text)) == (text, 0) == cut(text, None)
    assert cut("one long paragraph " * 99, 10)[1] == 0


def test_lines_that_are_alike_are_found_whatever_stands_between_them() -> None:
    chance = random.Random(3)
    for _ in range(400):
        base, other = ([chance.choice("abcdef") for _ in range(chance.randrange(12))] for _ in "ab")
        at = to = 0
        for here, there, size in alike(base, other):
            assert size and here >= at and there >= to
            assert base[here : here + size] == other[there : there + size]
            at, to = here + size, there + size
    base = [f"- {number}: 10:{number % 60}\n" for number in range(4000)]
    mine = [f"mine {line}" if at % 10 == 0 else line for at, line in enumerate(base)]
    theirs = [f"theirs {line}" if at % 10 == 5 else line for at, line in enumerate(base)]
    assert sum(size for _, _, size in alike(base, mine)) == 3600
    both = merged("".join(base), "".join(mine), "".join(theirs))
    assert both is not None and both.count("mine") == both.count("theirs") == 400
    rows = compared("".join(base), "".join(mine))
    assert sum(one.what == "new" for one in rows) == 400


def test_the_same_facts_are_compiled_once() -> None:
    compiled: list[str] = []
    remembered = Remembered(lambda facts: compiled.append(facts.incident.title) or facts.incident.title)
    facts = login_outage()
    other = replace(facts, incident=replace(facts.incident, id=99, title="other"))
    fewer = replace(facts, entries=facts.entries[1:])
    assert remembered(facts) == remembered(login_outage()) == facts.incident.title
    assert remembered(other) == "other" and len(compiled) == 2
    remembered(facts)
    remembered(fewer)
    remembered(facts)
    assert compiled == [facts.incident.title, "other", *[facts.incident.title] * 2]
