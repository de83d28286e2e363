"""Sends follow-ups to the team's tracker and reads what became of them: the postman's senders that do not tell Slack.

Works in orders of their own: nothing that a channel is told waits for a tracker. An issue is created in one step that
is looked up before it is repeated, by the mark that the issue carries (docs/decisions/0015-trackers.md).
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from functools import partial
from typing import Any

from bot.domain.followup import FollowUp
from bot.domain.outcomes import Refused, Unknown
from bot.domain.tracker import Issue, NoTracker, Standing
from bot.store.db import Session
from bot.store.errand import Errand
from bot.tracker_wire import METHOD
from bot.usecases import tracking
from bot.usecases.desk import Desk
from bot.usecases.tracking import Filing

log = logging.getLogger(__name__)


def file_issue(desk: Desk, errand: Errand) -> None:
    """Create the issue of a follow-up, or find the one that an earlier work created."""
    follow_up_id = int(errand.args["follow_up_id"])
    wanted = _wanted(desk, errand)
    if wanted is None:
        return

    def made(session: Session, result: dict[str, Any]) -> None:
        if result.get("key"):
            issue = Issue(str(result["key"]), str(result["link"]))
            asked_by, place = errand.work.asked_by, result.get("place")
            tracking.issue_made(desk, session, follow_up_id, issue, asked_by, place=place)
        elif result.get("withheld"):
            tracking.tell_withheld(desk, session, follow_up_id, str(result["withheld"]), errand.work.asked_by)

    formerly = str(errand.args.get("formerly") or "")
    if formerly:
        earlier = errand.step(
            "look there", partial(_found_at, desk, wanted, formerly), then=made, method=METHOD
        )
        if earlier.get("key"):
            return
    find = partial(_found, wanted)
    if errand.args.get("is_again"):
        earlier = errand.step("look", lambda: find() or {}, then=made, method=METHOD)
        if earlier.get("key"):
            return
    errand.step("create", partial(_created, desk, errand), look=find, then=made, method=METHOD)


def _wanted(desk: Desk, errand: Errand) -> Filing | None:
    try:
        return tracking.filing(
            desk, int(errand.args["follow_up_id"]), is_anyway=bool(errand.args.get("is_anyway"))
        )
    except NoTracker as wrong:
        raise Refused("There is no tracker to send it to", wrong.sentence) from None


def _created(desk: Desk, errand: Errand) -> dict[str, Any]:
    """Asked for as it stands in this moment: it may have been dropped, or have become private, since."""
    wanted = _wanted(desk, errand)
    if wanted is None or wanted.withheld:
        return {"withheld": "" if wanted is None else wanted.withheld}
    return asdict(wanted.tracker.create(wanted.title, wanted.body, wanted.mark))


def _found(wanted: Filing) -> dict[str, Any] | None:
    found = wanted.tracker.find(wanted.mark, wanted.since)
    return None if found is None else asdict(found)


def _found_at(desk: Desk, wanted: Filing, place: str) -> dict[str, Any]:
    """What an earlier asking made in another project; nothing when that cannot be seen any more."""
    try:
        there = desk.tracker.at(place) if desk.tracker is not None else wanted.tracker
        found = there.find(wanted.mark, wanted.since)
    except (NoTracker, Refused):
        return {}
    return {} if found is None else {**asdict(found), "place": place}


def read_issues(desk: Desk, errand: Errand) -> None:
    """Read the issues that are due, a step each.

    One that the tracker refuses to show, or answers strangely, is put off, and the rest go on. Where no issue at all
    can be read it is the tracker that is in trouble: then all are tried again, soon. Raises Unknown.
    """
    trouble: Unknown | None = None
    doubtful: list[FollowUp] = []
    # Those that this work asked for in vain come last, whatever number of them there is.
    for one in sorted(tracking.due_issues(desk), key=lambda one: errand.has_done(f"in vain {one.id}")):
        try:
            errand.step(
                f"read {one.id}",
                partial(_state, desk, one),
                then=partial(_read, desk, one.id),
                method=METHOD,
            )
        except Refused as refused:
            log.warning("the issue %s of a follow-up is not read: %s", one.tracker_key, refused.sentence)
            errand.step(f"put off {one.id}", dict, then=partial(_put_off, desk, one.id))
        except Unknown as unknown:
            log.warning("the issue %s of a follow-up is not read: %s", one.tracker_key, unknown)
            trouble = unknown
            doubtful.append(one)
            errand.step(f"in vain {one.id}", dict)
        else:
            # Remembered: a reading that is put back in the middle knows it when it goes on.
            errand.step("answers", dict)
        if errand.has_done("answers"):
            for each in doubtful:
                errand.step(f"put off {each.id}", dict, then=partial(_put_off, desk, each.id))
            doubtful.clear()
    if trouble is not None and doubtful:
        raise trouble


def _state(desk: Desk, one: FollowUp) -> dict[str, Any]:
    try:
        if desk.tracker is None:
            raise NoTracker(desk.no_tracker)
        tracker = desk.tracker.at(one.tracker or "")
    except NoTracker as wrong:
        raise Refused("There is no tracker to ask", wrong.sentence) from None
    return {"state": tracker.state(one.tracker_key or "").value}


def _read(desk: Desk, follow_up_id: int, session: Session, result: dict[str, Any]) -> None:
    tracking.issue_read(desk, session, follow_up_id, Standing(result["state"]))


def _put_off(desk: Desk, follow_up_id: int, session: Session, _result: dict[str, Any]) -> None:
    tracking.put_off(desk, session, follow_up_id)


SENDERS = {"IssueAsked": file_issue, "IssuesDue": read_issues}
