"""A postmortem that people write in: compiled again it keeps every word of theirs, and says where it must ask."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.merge import merged
from bot.domain.postmortem import compile_draft
from bot.domain.refusals import Refusal
from bot.domain.review import ReviewState
from bot.domain.sections import (
    HEAD,
    Sections,
    added,
    edited,
    find,
    in_question,
    joined,
    recompiled,
    settled,
    split,
)
from bot.exporters.markdown import render
from bot.usecases import postmortem, review
from bot.usecases import sections as usecase
from bot.usecases.postmortem import Closing
from tests.houses import Town, said
from tests.rooms import Room, hasty_town, opened
from tests.story import login_outage, nothing_known

FACTS = (
    "# Postmortem\n\nintro\n\n## Timeline\n\n- one\n- two\n- three\n\n## Lessons\n\nNothing was recorded.\n"
)


def written(key: str, text: str, facts: str = FACTS) -> Sections:
    """Compiled sections of which a person has written one."""
    made = split(facts)
    return edited(made, key, text, made_from=find(made, key).text)


@pytest.mark.parametrize("facts", [login_outage(), nothing_known()])
def test_a_compiled_postmortem_is_the_same_bytes_after_it_was_cut_into_sections(facts: object) -> None:
    markdown = render(compile_draft(facts))  # type: ignore[arg-type]
    assert joined(split(markdown)) == markdown
    assert [one.title for one in split(markdown)][:3] == ["", "Issue Summary", "Timeline"]


def test_headings_in_fences_are_text_and_equal_titles_are_told_apart() -> None:
    made = split("x\n\n## A\n\n```\n## not one\n```\n\n~~~~\n## nor this\n~~~\n~~~~\n\n## A\n\nb\n\n## !!\n")
    assert [one.key for one in made] == [HEAD, "a", "a-2", "section"]
    assert "## not one" in find(made, "a").text and "## nor this" in find(made, "a").text
    assert joined(made).count("## A\n") == 2


def test_what_nobody_wrote_in_is_refreshed() -> None:
    made = recompiled(split(FACTS), FACTS.replace("two", "two and a half"))
    assert "two and a half" in joined(made)
    assert recompiled(made, FACTS) == split(FACTS)


def test_a_persons_words_and_new_facts_in_other_lines_both_stand() -> None:
    mine = written("timeline", "- one, and I was there\n- two\n- three")
    both = recompiled(mine, FACTS.replace("- three", "- three\n- four"))
    assert find(both, "timeline").text == "- one, and I was there\n- two\n- three\n- four"
    assert not in_question(both)


def test_where_both_changed_the_same_line_the_persons_words_stand_and_they_are_asked() -> None:
    mine = written("timeline", "- one\n- two, I think\n- three")
    asked = recompiled(mine, FACTS.replace("- two", "- two at noon"))
    assert [one.key for one in in_question(asked)] == ["timeline"]
    assert find(asked, "timeline").text == "- one\n- two, I think\n- three"
    assert find(asked, "timeline").compiled == "- one\n- two at noon\n- three"
    # Either answer settles it, and it is not asked again.
    kept = settled(asked, "timeline", is_human_kept=True)
    assert not in_question(kept) and "two, I think" in joined(kept)
    assert recompiled(kept, FACTS.replace("- two", "- two at noon")) == kept
    taken = settled(asked, "timeline", is_human_kept=False)
    assert not in_question(taken) and "two at noon" in joined(taken)


def test_words_in_a_section_that_a_new_template_has_no_more_stay_where_they_were() -> None:
    mine = written("timeline", "- my own list")
    slim = recompiled(mine, "# Postmortem\n\nintro\n\n## Lessons\n\nNone.\n")
    assert [one.key for one in slim] == [HEAD, "timeline", "lessons"]
    assert "## Timeline\n\n- my own list" in joined(slim)
    back = recompiled(slim, FACTS)
    assert "- my own list" in joined(back)
    assert [one.key for one in in_question(back)] == ["timeline"]


def test_a_section_of_ones_own_stays_and_its_name_is_never_anothers() -> None:
    mine = added(added(split(FACTS), "Thanks", "to everybody"), "Lessons", "another of that name")
    assert [one.key for one in mine][-2:] == ["thanks", "lessons-2"]
    again = recompiled(mine, FACTS.replace("two", "2"))
    assert joined(again).endswith("## Thanks\n\nto everybody\n\n## Lessons\n\nanother of that name\n")
    with pytest.raises(Refusal, match="needs a title"):
        added(mine, "  ", "x")


def test_two_people_in_one_section_are_brought_together_or_the_second_is_asked() -> None:
    base = find(split(FACTS), "timeline").text
    ana = edited(split(FACTS), "timeline", "- one (ana)\n- two\n- three", made_from=base)
    both = edited(ana, "timeline", "- one\n- two\n- three (ben)", made_from=base)
    assert find(both, "timeline").text == "- one (ana)\n- two\n- three (ben)"
    with pytest.raises(Refusal, match="changed by somebody else while you wrote"):
        edited(ana, "timeline", "- one (ben)\n- two\n- three", made_from=base)


def test_what_a_browser_sends_is_no_change() -> None:
    mine = edited(
        split(FACTS), "timeline", "- one\r\n- two\r\n- three\r\n", made_from="- one\r\n- two\r\n- three"
    )
    assert mine == split(FACTS)
    with pytest.raises(Refusal, match="200,000 at most"):
        edited(split(FACTS), "timeline", "x" * 200_001, made_from="")
    with pytest.raises(Refusal, match="no such section"):
        edited(split(FACTS), "nowhere", "x", made_from="")


LINES = st.lists(st.sampled_from(["", "a", "b", "c", "- d", "## e"]), max_size=8)


@given(base=LINES, mine=LINES, theirs=LINES)
def test_a_merge_takes_each_sides_changes_and_is_the_same_from_both_sides(
    base: list[str], mine: list[str], theirs: list[str]
) -> None:
    one, two, three = ("\n".join(lines) for lines in (base, mine, theirs))
    assert merged(one, two, one) == two
    assert merged(one, one, three) == three
    both = merged(one, two, three)
    other = merged(one, three, two)
    assert (both or "").rstrip("\n") == (other or "").rstrip("\n")
    if both is not None:
        new = (set(mine) | set(theirs)) - {*base, ""}
        assert new <= set(both.split("\n"))


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_whatever_people_and_facts_do_in_turn_no_word_of_theirs_is_lost(seed: int) -> None:
    chance = random.Random(seed)
    facts = {"Timeline": ["- one", "", "- two"], "Cause": ["unknown"], "Lessons": ["none", "none"]}
    words = 0
    mine: set[str] = set()
    now = split(_facts(facts))
    for _ in range(chance.randint(1, 25)):
        deed = chance.choice(
            ("facts", "write", "write", "compile", "keep", "drop a section", "bring it back")
        )
        if deed == "facts":
            lines = chance.choice(list(facts.values()))
            at = chance.randint(0, len(lines))
            lines[at : at + chance.randint(0, 2)] = [f"- fact {chance.randint(0, 5)}"]
        elif deed == "write":
            section = chance.choice(now)
            words += 1
            lines = section.text.split("\n")
            at = chance.randint(0, len(lines))
            # A line of the facts may be replaced; what people wrote may not, or it would be lost by their own hand.
            is_theirs = at < len(lines) and not re.search(r"word\d+", lines[at])
            lines[at : at + (1 if is_theirs and chance.random() < 0.5 else 0)] = [f"word{words}"]
            mine.add(f"word{words}")
            now = edited(now, section.key, "\n".join(lines), made_from=section.text)
        elif deed == "keep":
            for one in in_question(now):
                now = settled(now, one.key, is_human_kept=True)
        elif deed == "drop a section":
            facts.pop("Cause", None)
        elif deed == "bring it back":
            facts.setdefault("Cause", ["unknown"])
        else:
            now = recompiled(now, _facts(facts))
            assert recompiled(now, _facts(facts)) == now
            assert joined(recompiled(now, _facts(facts))) == joined(now)
        assert mine == set(re.findall(r"word\d+", joined(now)))
        assert len({one.key for one in now}) == len(now)


def _facts(facts: dict[str, list[str]]) -> str:
    parts = [f"## {title}\n\n" + "\n".join(lines).strip("\n") for title, lines in facts.items()]
    return "# Postmortem\n\n" + "\n\n".join(parts) + "\n"


# Through the use cases, on a real database


@contextmanager
def closed_room(town: Town, line: str = "/incident open logins fail sev1") -> Iterator[Room]:
    """A closed incident with its draft."""
    room = opened(town, line)
    room.types("/log finding: one server gets the traffic")
    postmortem.close_incident(town.house.desk, room.about.id, Closing(cause="the weights"), by=town.ana.id)
    town.settled()
    yield room


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("sections")) as here:
        yield here


@pytest.fixture
def room(town: Town) -> Iterator[Room]:
    with closed_room(town) as here:
        yield here


def doc(room: Room) -> usecase.Document:
    found = usecase.document(room.town.house.desk, room.about.id, by=room.town.ana.id)
    assert found is not None
    return found


def write(room: Room, key: str, change: Callable[[str], str], origin: str | None = None) -> str:
    text = find(doc(room).revision.sections, key).text
    done = usecase.edit_section(
        room.town.house.desk,
        room.about.id,
        key,
        change(text),
        made_from=text,
        by=room.town.ana.id,
        origin=origin,
    )
    return done.text


def test_an_edit_is_a_revision_and_survives_compiling_closing_and_reopening(room: Room) -> None:
    assert (
        write(room, "lessons", lambda text: f"{text}\n\nLook at the balancer first.")
        == "Saved as revision 2."
    )
    room.types("/log resolution: even again")
    answer = room.types("/postmortem compile")
    assert "revision 3" in answer
    text = doc(room).revision.markdown
    assert "Look at the balancer first." in text and "even again" in text
    room.types("/incident reopen it is back")
    room.types("/log mitigation: weights put right")
    incident_id = room.about.id
    postmortem.close_incident(room.town.house.desk, incident_id, Closing(), by=room.town.ana.id)
    text = doc(room).revision.markdown
    assert "Look at the balancer first." in text and "weights put right" in text
    # And what went into the channel is that text.
    room.town.settled()
    assert doc(room).revision.number == 4
    assert [line.number for line in doc(room).history] == [4, 3, 2, 1]


def test_the_same_facts_make_no_new_revision_and_the_same_request_one(room: Room) -> None:
    assert "Nothing has changed since revision 1" in room.types("/postmortem compile")
    for _ in range(2):
        assert write(room, "lessons", lambda _: "ours", origin="twice") == "Saved as revision 2."
    assert write(room, "lessons", lambda text: text) == "Nothing changed: revision 2 says that."
    assert "Nothing has changed since revision 2" in room.types("/postmortem compile")


def test_where_both_changed_a_line_slack_says_how_to_decide(room: Room) -> None:
    write(room, "issue-summary", lambda text: text.replace("the weights", "the weights, by hand"))
    room.types("/incident cause the deployment's weights")
    assert "people and the facts have changed the same lines" in room.types("/postmortem compile")
    assert "what people wrote stands" in str(room.types("/postmortem"))
    assert "Say which stand" in room.types("/postmortem publish")
    assert "Say which stands" in room.types("/postmortem keep everything")
    assert "What people wrote stands, as revision 4." in room.types("/postmortem keep mine")
    assert "Nothing changed" in room.types("/postmortem keep facts")
    assert "the weights, by hand" in doc(room).revision.markdown


def test_a_severe_one_is_not_published_before_its_follow_ups_have_owner_and_date(room: Room) -> None:
    room.types("/incident follow-up watch the split")
    told = room.types("/postmortem publish")
    assert "1 follow-up has no owner or no date, and this is a SEV1: 1." in told
    assert "/incident follow-up 1 @ana by friday" in told
    assert doc(room).review.state is ReviewState.DRAFT
    room.types(f"/incident follow-up 1 <@{room.town.ben.id}|ben> by 2099-01-31")
    room.types("/postmortem compile")
    assert "is in review" in room.types("/postmortem review")
    assert "is published: revision 2" in room.types("/postmortem publish")
    assert "published already" in room.types("/postmortem publish")
    files = [file["name"] for one in room.messages("is published") for file in one.get("files") or []]
    assert files == [f"{room.about.slug}-postmortem.md"]


def test_facts_that_change_after_publishing_are_said(room: Room) -> None:
    room.types("/incident follow-up watch the split")
    assert "is published" in room.types("/postmortem publish because nobody is here on a Sunday")
    assert doc(room).review.reason == "because nobody is here on a Sunday"
    assert not doc(room).is_changed_since_published
    # People's words are no facts.
    write(room, "lessons", lambda text: f"{text}\n\nMore.")
    assert not doc(room).is_changed_since_published
    assert "Published is revision 1." in room.types("/postmortem")
    room.types("/log edit 2 finding: two servers get the traffic")
    assert doc(room).is_changed_since_published and doc(room).is_behind
    assert "Facts changed since revision 1 was published." in room.types("/postmortem")
    assert "is a draft" in room.types("/postmortem review withdraw")


def test_an_open_one_is_not_published(town: Town) -> None:
    room = opened(town)
    assert "has no postmortem yet" in room.types("/postmortem publish")
    room.types("/postmortem compile")
    assert "close it before its postmortem is published" in room.types("/postmortem publish")
    assert "has no postmortem yet" in said(
        opened(town).town.ana.types("/postmortem review", opened(town).channel)
    )


def test_what_an_older_lantern_compiled_in_the_middle_of_a_deploy_keeps_the_words(room: Room) -> None:
    write(room, "lessons", lambda text: f"{text}\n\nLook at the balancer first.")
    db = room.town.house.db
    with db.writing() as session:
        columns = doc(room).revision
        session.exec_driver_sql(
            "INSERT INTO postmortem_revision (incident_id, number, markdown, digest, created_at, created_by) "
            "SELECT incident_id, 9, markdown, 'x', created_at, created_by FROM postmortem_revision "
            f"WHERE incident_id = {columns.incident_id} AND number = 1"
        )
        session.exec_driver_sql(f"UPDATE incident SET last_revision = 9 WHERE id = {columns.incident_id}")
    assert doc(room).revision.number == 9
    assert "Look at the balancer first." in joined(doc(room).revision.sections)
    room.types("/log note: later")
    room.types("/postmortem compile")
    assert "Look at the balancer first." in doc(room).revision.markdown


def test_published_and_reviewed_states_are_told_once_each(room: Room) -> None:
    desk, by = room.town.house.desk, room.town.ana.id
    for _ in range(2):
        review.publish(desk, room.about.id, by=by, origin="publish-once")
    room.town.settled()
    assert len(room.messages("is published")) == 1
    again = replace(doc(room).review)
    assert again.published_revision == 1
