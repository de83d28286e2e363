"""The console's pages of an incident: what they show, and what can be done there, with Slack's own refusals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.domain.course import course_of
from bot.domain.field import from_field, to_field
from bot.domain.sections import split
from bot.domain.timeline import Kind, Source
from bot.store import followup
from bot.store.postmortem import add_revision
from bot.web.document import compared, html_of
from bot.web.drawings import Drawings
from tests.houses import Town, until
from tests.rooms import Room, fresh_words, hasty_town, opened
from tests.story import login_outage
from tests.visiting import Page, Visitor


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("web-incident"), console=True) as here:
        yield here


@pytest.fixture(scope="module")
def ana(town: Town) -> Visitor:
    visitor = Visitor(town)
    visitor.signs_in(town.ana.id)
    return visitor


@pytest.fixture(scope="module")
def room(town: Town) -> Room:
    return opened(town, "/incident open logins fail sev2")


def page_of(visitor: Visitor, room: Room, query: str = "") -> Page:
    page = visitor.gets(f"/incidents/{room.number}{query}")
    assert page.status == 200, page.words
    return page


def adds(visitor: Visitor, room: Room, **fields: str) -> Page:
    given = {"text": "", "kind": "", "when": "", **fields}
    return visitor.sends(page_of(visitor, room), f"/incidents/{room.number}/entries", **given)


def pulse(page: Page) -> str:
    found = re.search(r'data-pulse="(\w+)"', page.text)
    assert found is not None
    return found[1]


# The list


def test_the_list_has_open_ones_first_and_is_filtered(town: Town, ana: Visitor) -> None:
    slow = opened(town, "/incident open search is slow sev4", by=town.ben)
    over = opened(town, "/incident open disk is full sev1", by=town.ben)
    over.types("/incident cancel a test", by=town.ben)
    every = ana.gets("/incidents").text
    assert every.index(slow.about.slug) < every.index('id="past"') < every.index(over.about.slug)

    def shows(query: str) -> set[Room]:
        page = ana.gets(f"/incidents?{query}")
        assert page.status == 200
        return {one for one in (slow, over) if one.about.slug in page.text}

    assert shows("severity=SEV4") == {slow}
    assert shows("status=cancelled") == {over}
    assert shows("person=ben") == {slow, over}
    assert shows("person=eve") == set()
    today = datetime.now(UTC).date()
    assert shows(f"since={today - timedelta(days=1)}") == {slow, over}
    assert shows(f"until={today - timedelta(days=2)}") == set()
    for query, words in (
        ("severity=9", "SEV1 (worst) to SEV4"),
        ("status=burning", "investigating, identified"),
        ("person=nobody-knows", "Lantern has met nobody"),
        ("since=yesterday", "Write a day such as 2024-06-03"),
    ):
        assert words in ana.gets(f"/incidents?{query}").words


def test_words_are_looked_for_among_the_incidents_that_are_filtered(town: Town, ana: Visitor) -> None:
    worst = opened(town, "/incident open the parcel tracker forgets parcels sev1", by=town.ben)
    mild = opened(town, "/incident open parcel labels are grey sev4", by=town.ben)

    def shows(query: str) -> set[Room]:
        page = ana.gets(f"/incidents?{query}")
        assert page.status == 200
        return {one for one in (worst, mild) if f'href="/incidents/{one.number}"' in page.text}

    assert shows("q=parcel") == {worst, mild}
    assert shows("q=parcel&severity=SEV4") == {mild}
    assert shows("q=forgets&severity=SEV4") == set()
    assert shows(f"q={worst.about.slug}&severity=SEV4") == set()
    page = ana.gets("/incidents?q=forgets&severity=SEV4")
    assert "No incident of these that you may see holds forgets" in page.words
    # Either form keeps what the other was given.
    forms = re.findall(r"<form.*?</form>", page.text, re.DOTALL)
    assert 'name="severity" value="SEV4"' in forms[0] and 'name="q" value="forgets"' in forms[1]
    wrong = ana.gets("/incidents?q=parcel&severity=9")
    assert "SEV1 (worst) to SEV4" in wrong.words and 'class="incident"' not in wrong.text


# One incident


def test_the_page_shows_what_is_known(town: Town, ana: Visitor) -> None:
    room = opened(town, "/incident open checkout fails for <everybody> sev1")
    room.types(f"/incident role scribe <@{town.ben.id}>")
    room.types("/log 10m ago detection: *alarms* on `login`")
    room.types(f"/incident follow-up review the weights <@{town.ben.id}> by friday")
    room.types("/incident update a fix is on its way")
    room.types("/incident cause a deploy")
    room.types("/runbook start lb-uneven-traffic")
    room.types("/log a slip")
    room.types("/log undo")
    with town.house.db.writing() as session:
        followup.save(session, room.follow_ups[0].id, due_on=date(2024, 1, 5))
    page = page_of(ana, room)
    for words in (
        "checkout fails for <everybody>",
        "SEV1",
        "scribe ben",
        "review the weights",
        "due 5 Jan 2024",
        "overdue",
        "a fix is on its way",
        "a deploy",
        "0 of",
        "to come",
        "1 taken back",
        f"#{room.about.channel_name} in Slack",
    ):
        assert words in page.words, words
    assert "<strong>alarms</strong> on <code>login</code>" in page.text
    assert f"{ana.url}/incidents/{room.number}|In the console>" in str(room.card["blocks"])
    entry = room.told("alarms")[0]
    utc = f'title="{entry.happened_at:%Y-%m-%d %H:%M:%S} UTC"'
    assert utc in page.text
    # Ana's clock: New York.
    assert "America/New_York" in ana.gets("/account").words
    assert page.text.index('id="entry-1"') > page.text.index(f'id="entry-{entry.number + 1}"')
    oldest_first = page_of(ana, room, "?order=oldest").text
    assert oldest_first.index('id="entry-1"') < oldest_first.index(f'id="entry-{entry.number + 1}"')


def test_a_page_that_stays_open_is_told_only_what_is_new(ana: Visitor, room: Room) -> None:
    before = pulse(page_of(ana, room))
    live = f"/incidents/{room.number}/live?pulse="
    assert ana.asks("GET", live + before).status == 204
    words = fresh_words()
    room.types(f"/log {words}")
    answer = ana.asks("GET", live + before)
    assert answer.status == 200 and words in answer.words and "<html" not in answer.text
    entry = room.only(words)
    for change in (
        lambda: room.types(f"/log edit {entry.number} {words} twice"),
        lambda: room.types(f"/log undo {entry.number}"),
        lambda: room.types("/incident follow-up one more"),
        lambda: room.types("/incident follow-up 1 done"),
        lambda: room.types("/incident severity sev3"),
        lambda: room.types("/incident lesson lucky nobody slept"),
    ):
        room.town.settled()
        before = pulse(page_of(ana, room))
        change()
        assert ana.asks("GET", live + before).status == 200


# Adding


def test_an_entry_is_typed_as_after_log(ana: Visitor, room: Room) -> None:
    words = fresh_words("alarms <b> & more")
    page = adds(ana, room, text=f"15m ago detection: {words}")
    entry = room.only(fresh := words[-9:])
    assert page.path.endswith(f"?did=logged-{entry.number}&at={entry.number}#entry-{entry.number}")
    assert f"Logged #{entry.number}." in page.words and fresh in page.words
    assert (entry.kind, entry.source, entry.author) == (Kind.DETECTION, Source.WEB, room.town.ana.id)
    assert entry.text == words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    ago = datetime.now(UTC) - entry.happened_at
    assert timedelta(minutes=14) < ago < timedelta(minutes=16)
    until(lambda: bool(room.messages(fresh)), 8, "the channel is not told")


def test_kind_and_time_come_from_their_fields_and_names_are_mentions(ana: Visitor, room: Room) -> None:
    words = fresh_words("10 users call @ana, see https://example.com/x")
    adds(ana, room, text=words, kind="dead end", when="yesterday 10:30 UTC")
    entry = room.only(words[-4:])
    assert entry.kind is Kind.DEAD_END
    assert entry.happened_at.strftime("%H:%M") == "10:30"
    assert f"call <@{room.town.ana.id}>, see <https://example.com/x>" in entry.text


@pytest.mark.parametrize(
    ("fields", "field", "why"),
    [
        ({"text": "   "}, "text", "nothing to log"),
        ({"text": "10: alarms"}, "text", "may be a time or a number"),
        ({"text": "alarms", "when": "tomorrow 10:00"}, "when", "future"),
        ({"text": "alarms", "when": "at some point"}, "when", "not a time that can be read"),
        ({"text": "detectoin: alarms"}, "text", "Did you mean"),
        ({"text": "x" * 3001}, "text", "3,001 characters"),
        ({"text": "y" * 3001, "kind": "note"}, "text", "3,001 characters"),
    ],
)
def test_a_refusal_stands_beside_its_field_and_keeps_what_was_typed(
    ana: Visitor, room: Room, fields: dict[str, str], field: str, why: str
) -> None:
    before = len(room.entries)
    page = adds(ana, room, **fields)
    assert page.status == 422 and why in page.words
    assert re.search(rf'name="{field}"[^>]*aria-invalid="true"', page.text)
    assert fields["text"] in page.text
    assert fields.get("when", "") in page.text
    assert len(room.entries) == before


def test_the_very_same_form_twice_is_one_entry_and_other_words_are_another(ana: Visitor, room: Room) -> None:
    words = fresh_words("twice")
    action = f"/incidents/{room.number}/entries"
    hidden = page_of(ana, room).hidden(action)
    answers = [ana.posts(action, {**hidden, "text": words, "kind": "", "when": ""}) for _ in range(2)]
    assert [one.status for one in answers] == [303, 303]
    assert answers[0].location == answers[1].location
    assert len(room.told(words)) == 1
    # The browser's back button: the same page, other words.
    ana.posts(action, {**hidden, "text": f"{words} again", "kind": "", "when": ""})
    assert len(room.told(words)) == 2


def test_an_archived_incident_takes_no_entry(town: Town, ana: Visitor) -> None:
    room = opened(town)
    action = f"/incidents/{room.number}/entries"
    hidden = page_of(ana, room).hidden(action)
    town.ana.act("archive", channel=room.channel)
    until(lambda: room.about.is_archived, 8, "the archiving was not heard")
    refused = ana.posts(action, {**hidden, "text": "late", "kind": "", "when": ""})
    assert refused.status == 422 and "is archived; its timeline is finished" in refused.words
    assert "late</textarea>" in refused.text
    assert "Unarchive it in Slack" in page_of(ana, room).words


# Correcting


def entry_form(visitor: Visitor, room: Room, number: int) -> tuple[str, Page]:
    action = f"/incidents/{room.number}/entries/{number}"
    return action, visitor.gets(action)


def test_an_entry_is_corrected_put_at_another_time_and_undone(ana: Visitor, room: Room) -> None:
    words = fresh_words("mended")
    room.types(f"/log 30s ago {words} by <@{room.town.ben.id}> & me")
    entry = room.only(words)
    action, page = entry_form(ana, room, entry.number)
    shown = re.search(r'name="shown" value="([^"]+)"', page.text)
    assert shown is not None and f"{words} by @ben &amp; me</textarea>" in page.text

    # Only the kind: words and seconds stay as they were.
    kept = {"text": f"{words} by @ben & me", "when": shown[1]}
    ana.sends(page, action, kind="finding", **kept)
    after = room.only(words)
    assert (after.kind, after.text, after.happened_at) == (Kind.FINDING, entry.text, entry.happened_at)

    _, page = entry_form(ana, room, entry.number)
    moved = ana.sends(page, action, kind="finding", text=f"{words} with @ben, <3", when="yesterday 10:15 UTC")
    assert f"Changed #{entry.number}." in moved.words
    after = room.only(words)
    assert after.text == f"{words} with <@{room.town.ben.id}>, &lt;3"
    assert after.happened_at.strftime("%H:%M") == "10:15"
    _, page = entry_form(ana, room, entry.number)
    assert "What it said before" in page.words and f"{words} by @ben & me" in page.words

    undone = ana.sends(page, f"{action}/undo")
    assert f"Undid #{entry.number}." in undone.words and room.told(words) == []
    _, page = entry_form(ana, room, entry.number)
    assert "Taken back" in page.words and "<form" not in page.text.partition("<main")[2]


def test_a_time_that_cannot_be_read_is_refused_in_the_form(ana: Visitor, room: Room) -> None:
    words = fresh_words("unmoved")
    room.types(f"/log {words}")
    action, page = entry_form(ana, room, room.only(words).number)
    refused = ana.sends(page, action, text=f"{words} typed", kind="note", when="25:00")
    assert refused.status == 422 and "There is no clock time" in refused.words
    assert f"{words} typed" in refused.text and 'value="25:00"' in refused.text
    assert room.only(words).text == words


def test_two_people_who_edit_at_once_lose_no_word(town: Town, ana: Visitor, room: Room) -> None:
    words = fresh_words("both")
    room.types(f"/log {words}")
    number = room.only(words).number
    action, page = entry_form(ana, room, number)
    shown = page.hidden(action)["shown"]
    room.types(f"/log edit {number} {words} as ben sees it", by=town.ben)
    refused = ana.sends(page, action, text=f"{words} as ana sees it", kind="note", when=shown)
    assert refused.status == 409
    assert "Somebody else has changed entry" in refused.words
    assert f"{words} as ben sees it" in refused.words and f"{words} as ana sees it" in refused.text
    done = ana.sends(refused, action, text=f"{words} as ana sees it", kind="note", when=shown)
    assert f"Changed #{number}." in done.words
    assert [one.text for one in room.history(number)] == [words, f"{words} as ben sees it"]


def test_what_lantern_wrote_itself_is_not_undone(ana: Visitor, room: Room) -> None:
    action, page = entry_form(ana, room, 1)
    assert f"{action}/undo" not in page.text
    hidden = page.hidden(action)
    refused = ana.posts(f"{action}/undo", hidden)
    assert refused.status == 422 and "was written by Lantern" in refused.words
    absent = ana.gets(f"/incidents/{room.number}/entries/999")
    assert absent.status == 404 and "There is no entry #999" in absent.words


# Slack


def test_what_slack_refused_is_shown_and_sent_again_once(town: Town, ana: Visitor) -> None:
    room = opened(town)
    town.standin.fault("chat.postMessage", "error", error="restricted_action", times=1)
    words = fresh_words("refused")
    room.types(f"/log {words}")
    until(lambda: "could not be delivered" in page_of(ana, room).words, 8, "a refusal is not shown")
    page = page_of(ana, room)
    action = re.search(r'action="(/incidents/\d+/deliveries/\d+/again)"', page.text)
    assert action is not None and "restricted_action" in page.words
    hidden = page.hidden(action[1])
    assert ana.posts(action[1], hidden).location.endswith("?did=again-0#slack")
    until(lambda: bool(room.messages(words)), 8, "it was not sent again")
    assert ana.posts(action[1], hidden).location.endswith("?did=gone-0#slack")
    assert len(room.messages(words)) == 1
    other = opened(town)
    wrong = ana.posts(action[1].replace(f"/{room.number}/", f"/{other.number}/"), hidden)
    assert wrong.status == 400 and "nothing like that to send again" in wrong.words


# The postmortem


def test_a_postmortem_is_read_with_its_revisions_and_what_changed(town: Town, ana: Visitor) -> None:
    room = opened(town)
    path = f"/incidents/{room.number}/postmortem"
    assert "There is none yet" in ana.gets(path).words
    room.types("/log finding: the weights were wrong")
    room.types("/postmortem compile")
    room.types("/log finding: the weights were <b>very</b> wrong", by=town.ben)
    room.types("/postmortem compile")
    newest = ana.gets(path)
    assert "Revision 2" in newest.words and "very" in newest.words
    assert "<b>very" not in newest.text
    first = ana.gets(f"{path}/1")
    assert "Postmortem, revision 1" in first.words and "very" not in first.words
    changes = ana.gets(f"{path}/changes")
    assert "From revision 1 to 2" in changes.words
    assert '<tr class="new">' in changes.text and "very" in changes.words
    text = ana.asks("GET", f"{path}/2.md")
    assert text.headers["content-type"] == "text/markdown; charset=utf-8"
    assert text.headers["content-disposition"].startswith('attachment; filename="inc-')
    assert text.text == town.draft(room.number)
    for absent in (f"{path}/9", f"{path}/changes?from=1&to=9", f"{path}/9.md"):
        answer = ana.gets(absent)
        assert answer.status == 404 and "has no revision 9" in answer.words


def test_a_document_brings_no_script_no_picture_and_no_strange_link(town: Town, ana: Visitor) -> None:
    room = opened(town)
    with town.house.db.writing() as session:
        add_revision(
            session,
            incident_id=room.about.id,
            number=1,
            sections=split(
                "# T\n<script>alert(1)</script>\n\n![p](https://example.com/p.png) [x](javascript:alert(1)) "
                '[y](https://example.com "t") <img src=x onerror=alert(1)>\n\n| a |\n|---|\n| <b> |\n'
            ),
            created_at=datetime.now(UTC),
            created_by=town.ana.id,
        )
    page = ana.gets(f"/incidents/{room.number}/postmortem/1").text
    document = page.partition('<article class="document">')[2].partition("</article>")[0]
    assert set(re.findall(r"<(\w+)", document)) <= {
        "h2",
        "div",
        "p",
        "a",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert set(re.findall(r'href="([^"]*)"', document)) == {
        "https://example.com/p.png",
        "https://example.com",
    }


def test_headings_stand_below_the_pages_own() -> None:
    assert html_of("# One\n\n###### Six\n") == "<h2>One</h2>\n<h6>Six</h6>\n"


def test_a_comparison_marks_the_words_that_differ() -> None:
    rows = compared(
        "a\nthe weights were wrong\nb\n" + "x\n" * 20, "a\nthe weights were <very> wrong\nb\n" + "x\n" * 20
    )
    assert [(row.what, str(row.html)) for row in rows][:4] == [
        ("same", "a"),
        ("gone", "the weights were wrong"),
        ("new", "the weights were <ins>&lt;very&gt; </ins>wrong"),
        ("same", "b"),
    ]
    assert compared("a\nb", "a\nb") == []


# A field


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "a &lt;b&gt; &amp; c",
        "by <@U1>, see <https://example.com/a_b?x=1&amp;y=2> and <https://example.com|the page> in <#C1|general>",
        "*bold* <@U1> and <@U2>",
        "<@U9> is not known",
        "<!date^1717410600^{date}|then>",
    ],
)
def test_what_stands_in_a_field_comes_back_as_it_was(text: str) -> None:
    people, channels = {"U1": "ana", "U2": "ana maria"}, {"C1": "general"}
    typed = to_field(text, people, channels)
    assert "<@" not in typed and "&amp;" not in typed
    assert from_field(typed, text, people, channels) == text


def test_channels_that_are_called_alike_stay_themselves() -> None:
    text, channels = "frist <#C1|x> and <#C2>, <#C1|x>", dict.fromkeys(("C1", "C2"), "private-channel")
    typed = to_field(text, {}, channels)
    assert typed == "frist #private-channel and #private-channel-2, #private-channel"
    corrected = from_field(typed.replace("frist", "first"), text, {}, channels)
    assert corrected == text.replace("frist", "first")
    # One may really be called what another would be called here.
    text, channels = "<#C3> <#C1> <#C2>", {"C1": "x", "C2": "x", "C3": "x-2"}
    assert to_field(text, {}, channels) == "#x-2 #x #x-3"
    assert from_field("#x-3 #x #x-2", text, {}, channels) == "<#C2> <#C1> <#C3>"


def test_a_channel_of_a_number_may_stand_alone() -> None:
    text, channels = "frist <#C1|x> and <#C2>", dict.fromkeys(("C1", "C2"), "private-channel")
    assert from_field("#private-channel-2 alone", text, {}, channels) == "<#C2> alone"


def test_a_field_makes_no_mention_of_a_part_of_a_word_and_no_mark_of_what_is_typed() -> None:
    former = "<@U1>"
    assert from_field("@ana @anabel x@ana <@U2> <!channel>", former, {"U1": "ana"}, {}) == (
        "<@U1> @anabel x@ana &lt;@U2&gt; &lt;!channel&gt;"
    )


def test_a_timeline_is_drawn_again_only_when_something_has_changed() -> None:
    drawings, facts, now = Drawings(), login_outage(), datetime.now(UTC)
    about, course = facts.incident, lambda: course_of(facts, now)
    first = drawings.of(about, "one", now, course)
    assert drawings.of(about, "one", now + timedelta(days=1), course) is first
    assert drawings.of(about, "two", now, course) is not first
    assert [re.findall(r'viewBox="0 0 (\d+)', each) for each in first] == [["760"], ["340"]]


# Follow-ups


def test_a_follow_up_is_noted_given_to_somebody_linked_and_done(town: Town, ana: Visitor) -> None:
    room = opened(town, "/incident open login is slow sev2")
    # Lantern knows by name whom it has met.
    room.types("/log ben is here", by=town.ben)
    first = f"/incidents/{room.number}"
    form = ana.gets(f"{first}/follow-ups/new")
    refused = ana.sends(
        form, f"{first}/follow-ups/new", text="review <all> weights", owner="nobody-knows", due=""
    )
    assert refused.status == 422 and "Lantern has met nobody of that name" in refused.words
    assert 'value="review &lt;all&gt; weights"' in refused.text
    for _ in range(2):
        noted = ana.sends(
            refused,
            f"{first}/follow-ups/new",
            text="review <all> weights by 2099-01-05",
            owner="@Ben",
            due="",
        )
    assert "The follow-up is noted." in noted.words
    (owed,) = room.follow_ups
    assert (owed.owner, owed.due_on) == (town.ben.id, date(2099, 1, 5))
    assert "review <all> weights" in noted.words and "due 5 Jan 2099" in noted.words

    one = f"{first}/follow-ups/{owed.number}"
    for fields, words in (
        ({"owner": "", "due": "2099-01-05"}, "It has an owner"),
        ({"owner": "ben", "due": ""}, "It has a day"),
        ({"owner": "ben", "due": "soon"}, "Write a day such as 2024-06-14"),
    ):
        answer = ana.sends(ana.gets(one), one, **fields)
        assert answer.status == 422 and words in answer.words
    ana.sends(ana.gets(one), one, owner="ana", due="2099-02-01")
    refused = ana.sends(ana.gets(one), f"{one}/link", link="javascript:alert(1)")
    assert refused.status == 422 and "A link is a web address" in refused.words
    linked = ana.sends(refused, f"{one}/link", link="https://tracker.example.com/OPS-12")
    assert '<a href="https://tracker.example.com/OPS-12"' in linked.text
    done = ana.sends(linked, f"{one}/state", state="done")
    assert f"Follow-up {owed.number} is done." in done.words
    (owed,) = room.follow_ups
    assert (owed.owner, owed.due_on, owed.state.value) == (town.ana.id, date(2099, 2, 1), "done")
    assert "Open again" in done.words
    assert ana.gets(f"{first}/follow-ups/9").status == 404
