"""A private incident is seen by the people of its channel, through no door by anybody else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.domain.followup import LessonKind
from bot.domain.incident import Severity, Status
from bot.domain.people import Role
from bot.domain.refusals import NoSuchIncident
from bot.domain.review import ReviewState
from bot.domain.runbook import Outcome
from bot.domain.timeline import Source
from bot.standin.outward import Delivery
from bot.store import people as store_people
from bot.store import runbook as runs
from bot.usecases import (
    followup,
    incident,
    people,
    postmortem,
    record,
    review,
    runbook,
    sections,
    sight,
    suggestion,
    timeline,
)
from tests.houses import Town, said, until
from tests.rooms import Room, hasty_town, opened

SECRET = "payroll leaked"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("privacy")) as here:
        yield here


@pytest.fixture(scope="module")
def room(town: Town) -> Room:
    """Ana's private incident with an entry, a cause, a follow-up and a run."""
    room = opened(town, f"/incident open {SECRET} sev1 private")
    room.types(f"/log {SECRET} by mail")
    room.types(f"/incident cause {SECRET} since May")
    room.types(f"/incident follow-up tell whoever {SECRET} hurts")
    room.types("/runbook start lb-uneven-traffic")
    town.settled()
    return room


def from_outside(delivery: Delivery, by: str, mark: str) -> Delivery:
    """The same request as if another person had sent it, with a trigger of its own."""
    payload = copy.deepcopy(delivery.payload)
    payload["trigger_id"] = f"{payload['trigger_id']}.{mark}"
    if "command" in payload:
        payload["user_id"] = by
    else:
        payload["user"]["id"] = by
    return replace(delivery, payload=payload, answers=[], retry_num=0)


@pytest.mark.parametrize(
    "line",
    [
        "/incident info",
        "/incident close",
        "/incident status",
        "/incident severity",
        "/incident role commander me",
        "/incident cause something else",
        "/incident impact everybody",
        "/incident title nothing to see",
        "/incident update all is well",
        "/incident update",
        "/incident follow-up list",
        "/incident follow-up a thing",
        "/incident lesson lucky nobody saw",
        "/incident cancel no",
        "/incident archive",
        "/incident reopen",
        "/log",
        "/log list",
        "/log edit 2",
        "/log edit 2 other words",
        "/log undo 2",
        "/log I was here",
        "/postmortem",
        "/postmortem compile",
        "/runbook",
        "/runbook start lb-servers-parked",
    ],
)
def test_a_command_that_names_its_channel_tells_an_outsider_nothing(
    town: Town, room: Room, line: str
) -> None:
    before = room.entries
    town.ana.types("/incident list", room.channel)
    sent = town.standin.last_delivery("command")
    command, _, text = line.partition(" ")
    forged = from_outside(sent, town.ben.id, f"privacy-{line}")
    forged.payload.update(command=command, text=text)
    (answer,) = town.standin.redeliver(forged, new_envelope=True)
    assert SECRET not in answer.body, line
    assert "that you can see" in answer.body
    assert not town.ben.views()
    assert room.entries == before


def test_an_outsider_finds_it_in_no_list_and_by_no_number(town: Town, room: Room) -> None:
    for line in ("/incident list", "/incident list all", "/incident search payroll leaked by mail"):
        assert SECRET not in said(town.ben.types(line)), line
    hidden, absent = (said(town.ben.types(f"/incident info {one}")) for one in (room.number, 9999))
    assert hidden.replace(f"{room.number:04d}", "N") == absent.replace("9999", "N")
    assert SECRET in said(town.ana.types("/incident list"))


def test_nothing_of_it_is_said_outside_of_its_channel(town: Town, room: Room) -> None:
    room.types(f"/incident update {SECRET}, we are on it")
    town.settled()
    state = json.dumps(town.ben.state())
    assert SECRET not in state
    for call in town.standin.calls():
        if SECRET in json.dumps(call.args, default=str):
            told = call.args.get("channel") or call.args.get("channel_id") or room.channel
            assert told == room.channel or call.method in {"views.open"}, call


def test_no_deed_and_no_question_takes_an_outsider(town: Town, room: Room) -> None:
    desk, one, ben = town.house.desk, room.about.id, town.ben.id
    with desk.db.reading() as session:
        (run,) = runs.of(session, one)
    message = timeline.MessageSeen(room.channel, "1717410600.000100", ben, desk.clock(), "words")
    for deed in (
        lambda: sight.incident_of_channel(desk, room.channel, by=ben),
        lambda: sight.incident_of_id(desk, one, by=ben),
        lambda: sight.incident_by_number(desk, room.number, by=ben),
        lambda: timeline.list_entries(desk, one, by=ben),
        lambda: followup.list_follow_ups(desk, one, by=ben),
        lambda: sections.document(desk, one, by=ben),
        lambda: sections.written(desk, one, by=ben),
        lambda: record.entry_read(desk, room.number, 1, by=ben),
        lambda: postmortem.compile_postmortem(desk, one, by=ben),
        lambda: sections.revision_of(desk, one, 1, by=ben),
        lambda: sections.edit_section(desk, one, "head", "x", made_from="", by=ben),
        lambda: sections.add_section(desk, one, "x", "x", by=ben),
        lambda: sections.settle_section(desk, one, "", is_human_kept=True, by=ben),
        lambda: review.publish(desk, one, by=ben),
        lambda: review.set_review(desk, one, ReviewState.IN_REVIEW, by=ben),
        lambda: postmortem.facts_of(desk, one, by=ben),
        lambda: suggestion.suggestions(desk, one, by=ben),
        lambda: timeline.log_entry(desk, one, "x", by=ben, source=Source.COMMAND),
        lambda: timeline.log_message(desk, one, message, by=ben, source=Source.PIN),
        lambda: timeline.edit_entry(desk, one, 2, text="x", by=ben),
        lambda: timeline.undo_entry(desk, one, number=2, by=ben),
        lambda: followup.add_follow_up(desk, one, "x", by=ben),
        lambda: followup.assign_follow_up(desk, one, 1, owner=ben, by=ben),
        lambda: followup.set_follow_up_state(desk, one, 1, followup.FollowUpState.DONE, by=ben),
        lambda: followup.add_lesson(desk, one, LessonKind.LUCKY, "x", by=ben),
        lambda: incident.set_status(desk, one, Status.MONITORING, by=ben),
        lambda: incident.set_severity(desk, one, Severity.SEV4, by=ben),
        lambda: incident.set_title(desk, one, "x", by=ben),
        lambda: incident.set_fact(desk, one, "cause", "x", by=ben),
        lambda: incident.set_impact_span(desk, one, started_at=desk.clock(), by=ben),
        lambda: incident.reopen_incident(desk, one, by=ben),
        lambda: incident.cancel_incident(desk, one, by=ben),
        lambda: incident.archive_incident(desk, one, by=ben),
        lambda: people.give_role(desk, one, Role.SCRIBE, ben, by=ben),
        lambda: postmortem.close_incident(desk, one, postmortem.Closing(), by=ben),
        lambda: postmortem.compile_postmortem(desk, one, by=ben),
        lambda: postmortem.post_update(desk, one, "x", by=ben),
        lambda: runbook.start_run(desk, one, "lb-servers-parked", by=ben),
        lambda: runbook.mark_step(desk, run.id, 0, Outcome.DONE, by=ben),
        lambda: runbook.note_step(desk, run.id, 0, "x", by=ben),
    ):
        with pytest.raises(NoSuchIncident):
            deed()


def test_whoever_leaves_its_channel_sees_it_no_more_its_opener_neither(town: Town) -> None:
    room = opened(town, "/incident open keys in a public bucket private", by=town.chloe)
    town.chloe.invites(room.channel, town.dev.id)
    until(lambda: bool(room.told(f"<@{town.dev.id}> joined")), 8, "dev's coming was not noted")
    assert "keys in a public bucket" in said(town.dev.types("/incident list"))
    town.chloe.leaves(room.channel)

    def is_gone() -> bool:
        return "keys in a public bucket" not in said(town.chloe.types("/incident list"))

    until(is_gone, 8, "the opener still sees it")
    assert "that you can see" in said(town.chloe.types(f"/incident info {room.number}"))


def test_whose_joining_was_never_heard_is_let_in_when_slack_says_so(town: Town) -> None:
    room = opened(town, f"/incident open {SECRET} again sev1 private")
    with town.house.db.writing() as session:
        # What a house that was down for a day has missed.
        assert store_people.leave(session, room.about.id, town.ana.id, town.clock())
    assert "Logged" in room.types("/log still here")
    assert "again" in room.types("/incident info")


def test_a_form_cannot_bring_a_message_of_one_incident_into_another(town: Town, room: Room) -> None:
    """What a form remembers comes back from outside: an entry that was undone elsewhere stays undone."""
    other = opened(town, "/incident open the printer is on fire", by=town.ben)
    ts = town.ana.says(room.channel, "the printer knows")
    town.ana.reacts(ts, "pushpin", room.channel)
    entry = room.only("the printer knows")
    room.types(f"/log undo {entry.number}")
    desk = town.house.desk
    message = timeline.MessageSeen(room.channel, ts, town.ben.id, desk.clock(), "mine now")
    with pytest.raises(timeline.Refusal):
        timeline.log_message(desk, other.about.id, message, by=town.ben.id, source=Source.SHORTCUT)
    assert not room.told("the printer knows")
    assert not other.told("mine now")
