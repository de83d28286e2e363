"""/incident follow-up <what> [@owner] [by friday]"""

from __future__ import annotations

import re
from datetime import date

from bot.domain import markup
from bot.domain.due import read_due_day, split_due
from bot.domain.followup import FollowUpState
from bot.domain.refusals import Refusal
from bot.domain.reminder import EVERY
from bot.slack.ask import Ask
from bot.slack.blocks import cut
from bot.slack.door import Answer, Door, mentioned, said
from bot.slack.nearly import nearly
from bot.usecases.followup import (
    add_follow_up,
    assign_follow_up,
    link_follow_up,
    list_follow_ups,
    set_follow_up_state,
    snooze_follow_up,
)
from bot.usecases.reminders import local_day
from bot.usecases.tracking import send_follow_up, shown

COMMAND, WORD = "/incident", "follow-up"
ALIASES = ("followup", "follow-ups", "followups", "task")
USAGE = (
    "<what> [@owner] [by friday] | list | <number> @owner by <day> | done | drop | reopen | snooze <number> | "
    "link <number> <address> | send <number>"
)
SUMMARY = "note work left for afterwards"
EXAMPLES = (
    "/incident follow-up review the balancer's weights @ana by friday",
    "/incident follow-up 1 @ben by 14 June",
    "/incident follow-up done 1",
    "/incident follow-up snooze 1 until 14 June",
    "/incident follow-up link 1 https://tracker.example.com/OPS-12",
    "/incident follow-up send 1",
)

_STATES = {"done": FollowUpState.DONE, "drop": FollowUpState.DROPPED, "reopen": FollowUpState.OPEN}
_CHANGE = re.compile(r"(done|drop|reopen)(?:\s+#?([-+]?\d+))?", re.IGNORECASE)
_SNOOZE = re.compile(r"snooze\s+#?(\d{1,6})(?:\s+until\s+(\S.{0,40}))?", re.IGNORECASE)
#: "send the report to legal" is a follow-up of its own.
_SENT = re.compile(r"(?:send|track)(?:\s+#?(\d{1,6})(\s+anyway)?)?", re.IGNORECASE)
_NUMBERED = re.compile(r"(send|track)\s+[#+-]*((?=\S).)\S*\s*(.*)", re.IGNORECASE | re.DOTALL)
#: Words behind a number that make no work of it.
_NO_WORK = frozenset(
    {"anyway", "please", "pls", "now", "again", "too", "also", "it", "this", "and", "or", "to", "in", "the"}
    | {"tracker", "github", "gitlab", "jira"}
)
_LINKED = re.compile(r"link\s+#?(\d{1,6})\s+<?([^\s|>]+)(?:\|[^>]*)?>?", re.IGNORECASE)


def run(door: Door, ask: Ask, rest: str) -> Answer:
    about = door.incident(ask)
    text = rest.strip()
    if text.lower() == "list":
        return _listed(door, ask, about.id)
    change = _CHANGE.fullmatch(text)
    if change is not None:
        if change[2] is None or not change[2].isdigit() or len(change[2]) > 6:
            raise Refusal(
                f"Say which follow-up by its number: `/incident follow-up {change[1].lower()} 1`. "
                "`/incident follow-up list` shows them."
            )
        state = _STATES[change[1].lower()]
        return said(
            set_follow_up_state(door.desk, about.id, int(change[2]), state, by=ask.user, origin=ask.origin)
        )
    snoozed, linked = _SNOOZE.fullmatch(text), _LINKED.fullmatch(text)
    if snoozed is not None:
        until = _until(door, ask, snoozed[2])
        return said(
            snooze_follow_up(door.desk, about.id, int(snoozed[1]), until, by=ask.user, origin=ask.origin)
        )
    if linked is not None:
        address = markup.unescape(linked[2])
        return said(
            link_follow_up(door.desk, about.id, int(linked[1]), address, by=ask.user, origin=ask.origin)
        )
    sent = _SENT.fullmatch(text)
    if sent is not None:
        return _send(door, ask, about.id, sent[1], is_anyway=sent[2] is not None)
    _refuse_mistyped(text)
    owner, words = mentioned(text)
    words, due_on = split_due(words, today=local_day(door.desk, ask.user).date())
    _refuse_unsent(words)
    if owner is not None:
        door.member(owner, EXAMPLES[0])
    numbered = re.fullmatch(r"#?(\d{1,6})", words.strip())
    if numbered is not None and (owner is not None or due_on is not None):
        return said(
            assign_follow_up(
                door.desk,
                about.id,
                int(numbered[1]),
                owner=owner,
                due_on=due_on,
                by=ask.user,
                origin=ask.origin,
            )
        )
    if not words.strip():
        raise Refusal(f"Say what is to be done. For example `{EXAMPLES[0]}`")
    return said(
        add_follow_up(door.desk, about.id, words, owner=owner, due_on=due_on, by=ask.user, origin=ask.origin)
    )


def _listed(door: Door, ask: Ask, incident_id: int) -> Answer:
    found = list_follow_ups(door.desk, incident_id, by=ask.user)
    lines = [
        f"*{one.number}* {markup.to_mrkdwn_safe(one.text)} "
        f"({f'<@{one.owner}>' if one.owner else 'no owner yet'}, "
        f"{f'due {one.due_on}' if one.due_on else 'no due date'}, {one.state.value}"
        f"{f', {shown(one)}' if one.tracker_key else ''})"
        for one in found
    ]
    return Answer(cut("\n".join(lines), 3900) or "No follow-ups yet. " + f"For example `{EXAMPLES[0]}`")


def _send(door: Door, ask: Ask, incident_id: int, number: str | None, *, is_anyway: bool) -> Answer:
    if number is None:
        raise Refusal(
            "Say which follow-up by its number: `/incident follow-up send 1`. `/incident follow-up list` shows them."
        )
    return said(
        send_follow_up(
            door.desk, incident_id, int(number), is_anyway=is_anyway, by=ask.user, origin=ask.origin
        )
    )


def _refuse_mistyped(text: str) -> None:
    """ "sned 1" is no work for afterwards. Raises Refusal with the word that was probably meant."""
    found = re.fullmatch(r"([a-z]{3,8})\s+#?(\d{1,6})", text.lower())
    near = (
        nearly(found[1], ["done", "drop", "reopen", "snooze", "send", "track"]) if found is not None else None
    )
    if found is not None and near is not None and near != found[1]:
        raise Refusal(
            f"There is no `/incident follow-up {found[1]}`. Did you mean `/incident follow-up {near} {found[2]}`?"
        )


def _refuse_unsent(words: str) -> None:
    """ "send 1 anyway please" and "send ²" are no work; "send 3 people to the vendor" is. Raises Refusal."""
    found = _NUMBERED.match(words.strip())
    if found is None or not found[2].isnumeric():
        return
    more = found[3].lower().split()
    if more[:1] == ["anyway"] or all(word.strip(",.;!") in _NO_WORK or word.isnumeric() for word in more):
        raise Refusal(
            f"`{found[1].lower()}` takes the number of one follow-up, as `/incident follow-up list` shows it, and no "
            "more than `anyway` behind it: `/incident follow-up send 1`. Work for afterwards is noted in other words."
        )


def _until(door: Door, ask: Ask, typed: str | None) -> date:
    today = local_day(door.desk, ask.user).date()
    if typed is None:
        return today + EVERY
    day = read_due_day(typed, today=today)
    if day is None:
        raise Refusal(f"“{typed}” is no day. For example `/incident follow-up snooze 1 until friday`")
    return day
