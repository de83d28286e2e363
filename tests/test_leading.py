"""Leading an incident: what people change about it, who sees it, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from bot.domain.followup import FollowUpState, LessonKind
from bot.domain.incident import Status
from bot.domain.people import Role
from bot.domain.timeline import Kind
from bot.standin.person import Denied
from tests.dialogue import words_of
from tests.houses import Town, said, until
from tests.rooms import Room, fresh_words, hasty_town, opened


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("leading")) as here:
        here.set_clock(datetime(2024, 6, 5, 9, 0, tzinfo=UTC))  # a Wednesday
        yield here


@pytest.fixture
def room(town: Town) -> Room:
    return opened(town)


def come(room: Room, name: str) -> None:
    """Somebody joins the channel, and Lantern has heard of it."""
    person = getattr(room.town, name)
    person.joins(room.channel)
    until(lambda: bool(room.told(f"<@{person.id}> joined")), 8, f"{name}'s coming was not noted")


def announced(room: Room) -> dict[str, object]:
    """The announcement of the incident in #incidents, with its thread."""
    room.town.settled()
    name = f"<#{room.channel}>"
    (found,) = [one for one in room.town.ana.messages("#incidents") if name in one["text"]]
    return found


# What is true about it


@pytest.mark.parametrize("way", ["command", "menu"])
def test_status_moves_and_card_topic_and_announcement_follow_in_place(room: Room, way: str) -> None:
    before = room.card
    cards = len(room.messages("inc-"))
    if way == "command":
        assert "Status is now *identified*" in room.types("/incident status identified")
    else:
        room.town.ana.clicks(before, "Identified")
    room.town.settled()
    assert room.about.status is Status.IDENTIFIED
    assert room.only("Status changed").text == "Status changed from investigating to identified"
    assert room.card["ts"] == before["ts"] and "identified" in words_of(room.card)
    assert len(room.messages("inc-")) == cards, "the card was posted again instead of changed"
    assert room.town.ana.channel(room.channel)["topic"].startswith("SEV2 identified | commander: ana")
    assert "*identified*" in str(announced(room)["text"])
    assert "already *identified*" in room.types("/incident status identified")
    assert len(room.told("Status changed")) == 1


def test_severity_and_title_follow_everywhere_and_the_channel_keeps_its_name(room: Room) -> None:
    name = room.town.ana.channel(room.channel)["name"]
    assert "SEV1" in room.types("/incident sev 1")
    assert "every login fails" in room.types("/incident title every login fails")
    room.town.settled()
    assert (room.about.severity, room.about.title) == ("SEV1", "every login fails")
    channel = room.town.ana.channel(room.channel)
    assert channel["name"] == name
    assert channel["topic"].startswith("SEV1 investigating") and channel["topic"].endswith(
        "every login fails"
    )
    assert "every login fails" in words_of(room.card) and "SEV1" in words_of(room.card)
    assert "every login fails" in str(announced(room)["text"])
    assert room.only("Severity changed").text == "Severity changed from SEV2 to SEV1"
    assert "“logins fail” to “every login fails”" in room.only("Title changed").text


def test_a_handed_over_role_is_on_the_timeline_with_both_names(room: Room) -> None:
    come(room, "ben")
    assert "took over" in room.types(f"/incident role commander <@{room.town.ben.id}>")
    entry = room.only("took over")
    assert entry.text == f"<@{room.town.ben.id}> took over as commander from <@{room.town.ana.id}>"
    room.town.ana.clicks(room.card, "Take command")
    until(lambda: len(room.told("took over")) == 2, 8, "taking command left no entry")
    room.town.settled()
    held = [one.person for one in room.facts.roles if one.role is Role.COMMANDER]
    assert held == [room.town.ana.id, room.town.ben.id, room.town.ana.id]
    assert "commander: ana" in room.town.ana.channel(room.channel)["topic"]
    assert "scribe" in room.types("/incident role scribe me", by=room.town.ben)
    assert "scribe: ben" in words_of(room.card)


def test_a_role_needs_a_person_who_is_there(room: Room) -> None:
    assert "/incident role commander @ana" in room.types("/incident role commander")
    assert "is no role" in room.types("/incident role captain me")
    bot = room.town.app.bot_user_id
    assert "is a bot" in room.types(f"/incident role scribe <@{bot}>")
    gone = room.town.standin.add_person("gone", "Gone Away", "UTC")
    room.town.ana.act("set_profile", user=gone, deleted=True)
    assert "deactivated" in room.types(f"/incident role scribe <@{gone}>")
    assert [one.role for one in room.facts.roles] == [Role.COMMANDER]


def test_impact_cause_and_fix_are_facts_and_entries_with_their_times(room: Room) -> None:
    room.types("/incident impact 4:10 AM half of the logins fail")
    room.types("/incident cause one server gets 87 % of the traffic")
    room.types("/incident fix 4:50 AM the intended weights are back")
    about = room.about
    assert (about.impact, about.cause, about.fix) == (
        "half of the logins fail",
        "one server gets 87 % of the traffic",
        "the intended weights are back",
    )
    kinds = [(one.kind, f"{one.happened_at:%H:%M}") for one in room.entries if ": " in one.text][:3]
    assert (Kind.IMPACT, "08:10") in kinds and (Kind.RESOLUTION, "08:50") in kinds
    assert room.only("Root cause: ").kind is Kind.FINDING
    assert "It was “half of the logins fail”" in room.types("/incident impact all logins fail")
    assert "all logins fail" in words_of(room.card)


def test_the_span_of_the_impact_is_checked(room: Room) -> None:
    assert "Noted" in room.types("/incident impact began 4:00 AM")
    assert "before it began" in room.types("/incident impact ended 3:30 AM")
    assert "Noted" in room.types("/incident impact ended 4:45 AM")
    assert (room.about.impact_started_at, room.about.impact_ended_at) == (
        datetime(2024, 6, 5, 8, 0, tzinfo=UTC),
        datetime(2024, 6, 5, 8, 45, tzinfo=UTC),
    )
    assert "already noted" in room.types("/incident impact ended 4:45 AM")
    assert "no time that can be read whole" in room.types("/incident impact began 10 UTC")
    assert room.about.impact is None


# What is left for afterwards


def test_lessons_and_improvements_stand_in_the_draft(room: Room) -> None:
    room.types("/incident lesson went-well the alert came within minutes")
    room.types("/incident lesson went badly two wrong paths")
    room.types("/incident lesson lucky: it was noon")
    room.types("/incident improvement test balancer changes")
    assert "went-well, went-badly or lucky" in room.types("/incident lesson hello")
    assert {one.kind: one.text for one in room.facts.lessons} == {
        LessonKind.WENT_WELL: "the alert came within minutes",
        LessonKind.WENT_BADLY: "two wrong paths",
        LessonKind.LUCKY: "it was noon",
        LessonKind.IMPROVEMENT: "test balancer changes",
    }
    room.types("/postmortem compile")
    draft = room.town.draft(room.number)
    for lesson in (
        "the alert came within minutes",
        "two wrong paths",
        "it was noon",
        "test balancer changes",
    ):
        assert f"- {lesson}" in draft


def test_follow_ups_get_owner_and_day_and_are_done(room: Room) -> None:
    ben = room.town.ben.id
    assert f"<@{ben}>, due 2024-06-07" in room.types(
        f"/incident follow-up review the weights <@{ben}> by friday"
    )
    assert "no owner yet, no due date" in room.types("/incident follow-up restart everything by hand")
    assert "has passed" in room.types("/incident follow-up too late by 2024-06-01")
    first, second = room.follow_ups
    assert (first.text, first.owner, f"{first.due_on}") == ("review the weights", ben, "2024-06-07")
    assert second.text == "restart everything by hand"
    assert "done" in room.types("/incident follow-up done 1")
    assert "already done" in room.types("/incident follow-up done 1")
    assert "There is no follow-up 9" in room.types("/incident follow-up drop 9")
    shown = room.types("/incident follow-up list")
    assert "*1* review the weights" in shown and "done" in shown and "*2* restart everything" in shown
    assert room.follow_ups[0].state is FollowUpState.DONE


def test_what_the_draft_asks_is_answered_by_what_it_says_to_type(room: Room) -> None:
    room.types("/incident follow-up review the weights")
    room.types("/postmortem compile")
    asked = room.town.draft(room.number).split("## Open questions")[1]
    assert "Follow-up 1: who owns it and when is it due?" in asked
    room.types(f"/incident follow-up 1 <@{room.town.ben.id}> by 14 June")
    (task,) = room.follow_ups
    assert (task.owner, f"{task.due_on}") == (room.town.ben.id, "2024-06-14")
    room.types("/postmortem compile")
    assert "Follow-up 1" not in room.town.draft(room.number).split("## Open questions")[1]


# Telling others


def test_an_update_goes_to_the_channel_and_under_the_announcement(room: Room) -> None:
    words = fresh_words("a fix is going out")
    room.types(f"/incident update {words}")
    assert len(room.messages(words)) == 1
    post = announced(room)
    replies = room.town.dev.replies("#incidents", str(post["ts"]))
    assert [words in one["text"] for one in replies] == [False, True]
    assert room.only(words).kind is Kind.COMMS


def test_info_list_and_help_answer_the_person_alone(room: Room) -> None:
    before = len(room.messages())
    about = room.about
    for line in ("/incident info", f"/incident info {room.number}", f"/incident info inc-{room.number:04d}"):
        assert f"{about.slug} SEV2 investigating: logins fail" in room.types(line)
    assert "`/incident info 42`" in room.types("/incident info soon")
    assert about.slug in room.types("/incident list")
    help_text = room.types("/incident help")
    assert "`/log`" in help_text and "`/incident follow-up`" in help_text
    assert "by friday" in room.types("/incident help follow-up")
    assert "Did you mean" in room.types("/incident help folow-up")
    assert "Did you mean `/incident status identified`" in room.types("/incident statsu identified")
    assert len(room.messages()) == before


# Corrections


def test_an_edit_and_an_undo_keep_the_former_words_and_who_changed_them(room: Room) -> None:
    come(room, "ben")
    room.types("/log 4:30 AM detection: alarms on logout")
    number = room.only("alarms on").number
    assert "now reads" in room.types(f"/log edit {number} 10:20 detection: alarms on login", by=room.town.ben)
    room.town.settled()
    (former,) = room.history(number)
    assert (former.text, former.changed_by) == ("alarms on logout", room.town.ben.id)
    assert f"{former.happened_at:%H:%M}" == "08:30"
    (entry,) = room.told("alarms on login")
    assert (entry.author, f"{entry.happened_at:%H:%M}", entry.edits) == (room.town.ana.id, "08:20", 1)
    (line,) = room.messages(f"*#{number}*")
    assert "alarms on login" in line["text"] and "alarms on logout" not in line["text"]

    assert "undone" in room.types("/log undo")
    assert "already undone" in room.types(f"/log undo {number}")
    assert not room.told("alarms on")
    assert [one.text for one in room.history(number)] == ["alarms on logout", "alarms on login"]
    (line,) = room.messages(f"*#{number}*")
    assert "undone by ana" in line["text"]
    room.types("/postmortem compile")
    assert "alarms on" not in room.town.draft(room.number)


def test_an_entry_is_corrected_in_a_form_and_its_time_alone_by_command(room: Room) -> None:
    assert "Say which entry" in room.types("/log edit")
    room.types("/log 4:30 AM finding: weights 200/10")
    number = room.only("weights").number
    room.types(f"/log edit {number}")
    assert room.form()["state"]["values"]["time"]["typed"]["value"] == "2024-06-05 04:30"
    room.town.ana.submits(room.form(), {"text": "weights 200/10/10/10"})
    assert room.only("weights").text == "weights 200/10/10/10"
    room.types(f"/log edit {number} 4:15 AM")
    entry = room.only("weights")
    assert (entry.text, f"{entry.happened_at:%H:%M}", entry.kind) == (
        "weights 200/10/10/10",
        "08:15",
        Kind.FINDING,
    )


def test_what_lantern_noted_itself_is_not_undone(room: Room) -> None:
    assert "written by Lantern" in room.types("/log undo 1")
    assert "nothing here" in room.types("/log undo", by=room.town.dev)


# Ends


def test_a_closed_incident_is_reopened_and_closed_again_with_a_second_revision(room: Room) -> None:
    room.types("/incident close")
    assert room.town.ana.submits(room.form(), {"Root cause": "wrong weights"})["closed"]
    assert room.about.status is Status.CLOSED and room.town.draft(room.number)
    assert "closed" in str(announced(room)["text"])
    assert "already closed" in room.types("/incident close")
    assert "/incident reopen" in room.types("/incident status identified")
    # A late fact is still taken.
    assert "Logged" in room.types("/log a late fact")
    assert "open again" in room.types("/incident reopen")
    assert (room.about.status, room.about.closed_at) == (Status.INVESTIGATING, None)
    assert "is open (investigating)" in room.types("/incident reopen")
    room.types("/incident close")
    assert room.form()["state"]["values"]["cause"]["typed"]["value"] == "wrong weights"
    room.town.ana.submits(room.form())
    assert room.revision is not None and room.revision.number == 2
    assert "a late fact" in room.town.draft(room.number)


def test_a_cancelled_incident_gets_no_postmortem(room: Room) -> None:
    assert "cancelled" in room.types("/incident cancel false alarm")
    assert room.about.status is Status.CANCELLED and room.revision is None
    assert room.only("Cancelled").text == "Cancelled: false alarm"
    assert "gets no postmortem" in room.types("/postmortem")
    listed = said(room.town.ana.types("/incident list", "#general"))
    assert room.about.slug not in listed
    assert room.about.slug in said(room.town.ana.types("/incident list all", "#general"))


def test_an_archived_channel_keeps_its_draft_with_lantern(room: Room) -> None:
    assert "/incident close" in room.types("/incident archive")
    room.types("/incident close")
    room.town.ana.submits(room.form(), {"Impact": "half of the logins"})
    assert "will be archived" in room.types("/incident archive")
    until(lambda: room.about.is_archived, 8, "the channel was not archived")
    room.town.settled()
    channel = room.town.standin.workspace.channels[room.channel]
    assert channel.is_archived and room.town.app.bot_user_id not in channel.members
    # The draft's file had been posted before the bot was put out.
    assert [file["name"] for one in room.messages() for file in one.get("files") or []]
    assert "half of the logins" in room.town.draft(room.number)
    with pytest.raises(Denied, match="archived"):
        room.types("/log too late")
    shown = said(room.town.ana.types(f"/incident info {room.number}", "#general"))
    assert "closed" in shown


# Who sees it


def test_a_private_incident_shows_itself_to_its_members_only(town: Town) -> None:
    announcements = len(town.ana.messages("#incidents"))
    room = opened(town, "/incident open keys may have leaked sev1 private")
    assert room.about.is_private
    with pytest.raises(LookupError):
        town.ben.channel(room.channel)
    slug, number = room.about.slug, room.number
    assert slug in said(town.ana.types("/incident list", "#general"))
    assert slug not in said(town.ben.types("/incident list", "#general"))
    assert slug not in said(town.ben.types("/incident list all", "#general"))
    hidden = said(town.ben.types(f"/incident info {number}", "#general"))
    absent = said(town.ben.types("/incident info 5999", "#general"))
    assert "keys" not in hidden
    assert hidden.replace(slug, "X") == absent.replace("inc-5999", "X"), "hidden and absent must read alike"
    room.types("/incident update we are turning the keys")
    room.types("/incident status identified")
    town.settled()
    assert len(town.ana.messages("#incidents")) == announcements

    town.ana.invites(room.channel, town.ben.id)
    until(lambda: bool(room.told(f"<@{town.ben.id}> joined")), 8, "ben's coming was not noted")
    assert "keys may have leaked" in said(town.ben.types(f"/incident info {number}", "#general"))
    town.ben.leaves(room.channel)
    town.ben.waits_for(lambda: "keys" not in said(town.ben.types(f"/incident info {number}", "#general")))


def test_a_drill_says_so_and_is_not_announced(town: Town) -> None:
    announcements = len(town.ana.messages("#incidents"))
    room = opened(town, "/incident open practice with the new runbook drill")
    assert room.about.is_drill and "DRILL" in words_of(room.card)
    assert town.ana.channel(room.channel)["topic"].startswith("DRILL")
    room.types("/incident update all is well")
    room.types("/incident severity sev1")
    town.settled()
    assert len(town.ana.messages("#incidents")) == announcements
    room.types("/postmortem compile")
    assert "drill" in town.draft(room.number).split("## Issue Summary")[0].lower()
