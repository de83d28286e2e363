"""A postmortem in the console: written section by section, compiled again, settled, reviewed and published."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.domain.review import ReviewState
from bot.store import postmortem as postmortems
from tests.houses import Town
from tests.rooms import Room, fresh_words, hasty_town, opened
from tests.visiting import Page, Visitor


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("web-postmortem"), console=True) as here:
        yield here


@pytest.fixture(scope="module")
def ana(town: Town) -> Visitor:
    visitor = Visitor(town)
    visitor.signs_in(town.ana.id)
    return visitor


@pytest.fixture(scope="module")
def ben(town: Town) -> Visitor:
    visitor = Visitor(town)
    visitor.signs_in(town.ben.id)
    return visitor


@pytest.fixture
def room(town: Town) -> Room:
    """An incident with a draft."""
    room = opened(town, "/incident open logins fail sev2")
    room.types("/incident impact half of the users")
    room.types("/postmortem compile")
    return room


def at(room: Room, more: str = "") -> str:
    return f"/incidents/{room.number}/postmortem{more}"


def section(room: Room, key: str) -> str:
    return at(room, f"/sections/{key}")


def newest(room: Room) -> int:
    assert room.revision is not None
    return room.revision.number


def writes(one: Visitor, room: Room, key: str, text: str, page: Page | None = None, **more: str) -> Page:
    path = section(room, key)
    return one.sends(page or one.gets(path), path, text=text, **more)


def presses(one: Visitor, room: Room, action: str, **fields: str) -> Page:
    return one.sends(one.gets(at(room)), at(room, action), **fields)


def state(room: Room) -> ReviewState:
    with room.town.house.db.reading() as session:
        return postmortems.review(session, room.about.id).state


def test_a_section_is_written_and_kept_when_the_facts_are_compiled_again(ana: Visitor, room: Room) -> None:
    (told,) = room.messages("Postmortem draft of")
    assert f"{ana.url}{at(room)}|Edit it in the console>" in str(told["blocks"])
    page = ana.gets(at(room))
    assert "edited by people" not in page.words and "Issue Summary" in page.words
    saved = writes(ana, room, "lessons", "We learned **a lot** of it.")
    assert "Saved as a new revision." in saved.words and "edited by people" in saved.words
    assert "<strong>a lot</strong>" in saved.text
    assert "Compile again" in saved.words and "More is known now" not in saved.words

    words = fresh_words("the alarms came late")
    room.types(f"/log finding: {words}")
    assert "More is known now" in ana.gets(at(room)).words
    again = presses(ana, room, "/compile")
    assert words in again.words and "<strong>a lot</strong>" in again.text
    assert "More is known now" not in again.words


def test_a_preview_saves_nothing_and_keeps_what_was_typed(ana: Visitor, room: Room) -> None:
    before = newest(room)
    shown = writes(ana, room, "timeline", "* one\n* <b>two</b>", deed="preview")
    assert shown.status == 200 and "<li>one</li>" in shown.text and "&lt;b&gt;two" in shown.text
    assert "* one\n" in shown.text
    assert newest(room) == before
    assert "Saved" in writes(ana, room, "timeline", "* one", page=shown).words


def test_a_form_sent_twice_saves_once(ana: Visitor, room: Room) -> None:
    before = newest(room)
    page = ana.gets(section(room, "lessons"))
    for _ in range(2):
        assert writes(ana, room, "lessons", "Once.", page=page).status == 200
    page = ana.gets(at(room, "/new-section"))
    for _ in range(2):
        answer = ana.sends(page, at(room, "/new-section"), title="Once more", text="text")
        assert "Once more" in answer.words
    assert newest(room) == before + 2


def test_whoever_is_second_is_shown_what_the_first_wrote_and_loses_nothing(
    ana: Visitor, ben: Visitor, room: Room
) -> None:
    page = ana.gets(section(room, "lessons"))
    assert writes(ben, room, "lessons", "What ben wrote.").status == 200
    refused = writes(ana, room, "lessons", "What ana wrote.", page=page)
    assert refused.status == 422
    assert "was changed by somebody else" in refused.words
    assert "What ana wrote.</textarea>" in refused.text and "What ben wrote.</pre>" in refused.text
    assert "What ben wrote." in ana.gets(at(room)).words
    saved = writes(ana, room, "lessons", "What both wrote.", page=refused)
    assert saved.status == 200 and "What both wrote." in saved.words


@pytest.mark.parametrize(
    ("stands", "kept"), [("ours", "People were asked."), ("facts", "a quarter of the users")]
)
def test_what_people_and_facts_both_changed_is_shown_side_by_side_and_settled(
    ana: Visitor, room: Room, stands: str, kept: str
) -> None:
    assert writes(ana, room, "issue-summary", "People were asked.").status == 200
    room.types("/incident impact a quarter of the users")
    asked = presses(ana, room, "/compile")
    for words in ("What people wrote", "What the facts give now", "People were asked.", "say which stand"):
        assert words in asked.words, words
    settled = ana.sends(asked, f"{section(room, 'issue-summary')}/settle", stands=stands)
    assert "say which stand" not in settled.words
    gone = {"People were asked.", "a quarter of the users"} - {kept}
    summary = settled.words.partition("Issue Summary")[2].partition("Timeline")[0]
    assert kept in summary and not any(one in summary for one in gone)


def test_a_section_of_peoples_own_is_added_and_removed(ana: Visitor, room: Room) -> None:
    path = at(room, "/new-section")
    refused = ana.sends(ana.gets(path), path, title="", text="typed")
    assert refused.status == 422 and "needs a title" in refused.words and "typed</textarea>" in refused.text
    added = ana.sends(refused, path, title="Thanks & more", text="To all.")
    assert "Thanks &amp; more</h3>" in added.text and "added by people" in added.words
    form = ana.gets(section(room, "thanks-more"))
    gone = ana.sends(form, f"{section(room, 'thanks-more')}/settle")
    assert "To all." not in gone.words
    assert ana.gets(section(room, "thanks-more")).status == 404


def test_it_goes_from_draft_to_review_to_published_with_a_reason_for_what_is_unfinished(
    town: Town, ana: Visitor, room: Room
) -> None:
    room.types("/incident follow-up review the weights")
    assert "published once the incident is closed" in ana.gets(at(room)).words
    assert "It is in review." in presses(ana, room, "/state", state="in review").words
    room.types("/incident close now")
    town.settled()
    page = ana.gets(at(room))
    assert "1 open follow-up has no owner or no date" in page.words
    refused = ana.posts(at(room, "/state"), {**page.hidden(at(room, "/state")), "state": "published"})
    assert refused.status == 422 and "no owner or no date" in refused.words
    published = ana.posts(
        at(room, "/state"),
        {**page.hidden(at(room, "/state")), "state": "published", "reason": "the team decides on Monday"},
    )
    shown = ana.gets(published.location)
    assert "It is published." in shown.words and "the team decides on Monday" in shown.words
    assert state(room) is ReviewState.PUBLISHED
    room.types("/incident impact one user in ten")
    assert "The facts have changed since it was published." in ana.gets(at(room)).words
    presses(ana, room, "/compile")
    assert f"{newest(room)} is newer" in ana.gets(at(room)).words


def test_what_nobody_has_looked_at_is_not_published(town: Town, ana: Visitor, room: Room) -> None:
    room.types("/incident close now")
    town.settled()
    page = ana.gets(at(room))
    seen = newest(room)
    room.types("/log finding: the weights came with the deployment")
    room.types("/postmortem compile")
    sent = {
        **page.hidden(at(room, "/state")),
        "state": "published",
        "revision": str(seen),
        "reason": "it is late",
    }
    refused = ana.posts(at(room, "/state"), sent)
    assert refused.status == 422 and f"Revision {seen + 1} came meanwhile" in refused.words
    assert state(room) is ReviewState.DRAFT
    assert f'name="revision" value="{seen + 1}"' in refused.text
    ana.posts(at(room, "/state"), {**sent, "revision": str(seen + 1)})
    assert state(room) is ReviewState.PUBLISHED


def test_a_postmortem_that_is_not_there_yet_is_compiled_here(town: Town, ana: Visitor) -> None:
    bare = opened(town, "/incident open search is slow")
    assert "There is none yet." in ana.gets(at(bare)).words
    assert "Issue Summary" in presses(ana, bare, "/compile").words
