"""Buttons and menus: action id -> what it does. A button's value names the incident or the run."""

from __future__ import annotations

from collections.abc import Callable

from bot.domain.followup import FollowUpState
from bot.domain.incident import Severity, Status
from bot.domain.people import Role
from bot.domain.refusals import Refusal
from bot.domain.reminder import EVERY
from bot.domain.runbook import Outcome
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door, said
from bot.slack.draft_answers import draft_shown
from bot.slack.modals import close, entry, open_incident, step_note, update
from bot.slack.runbook_answers import suggestions as suggestions_shown
from bot.usecases import sight
from bot.usecases.balancer import ask_check, check_step
from bot.usecases.followup import set_follow_up_state, snooze_follow_up
from bot.usecases.incident import archive_incident, reopen_incident, set_severity, set_status
from bot.usecases.people import give_role
from bot.usecases.postmortem import compile_postmortem
from bot.usecases.reminders import local_day
from bot.usecases.runbook import mark_step, start_run
from bot.usecases.sections import document
from bot.usecases.suggestion import suggestions
from bot.usecases.tracking import send_follow_up

Press = Callable[[Door, Ask], Answer]


def _parts(ask: Ask) -> tuple[int, str]:
    """The value "42:identified" as (42, "identified"). Raises Refusal for what no card of ours says."""
    number, _, word = ask.value.partition(":")
    if not _is_number(number):
        raise _old_card()
    return int(number), word


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _old_card() -> Refusal:
    return Refusal("That button is from an older card. Use the newest card, or `/incident help`.")


def _old_step() -> Refusal:
    return Refusal("That button is from an older card. `/runbook` brings a fresh one.")


def _status(door: Door, ask: Ask) -> Answer:
    incident_id, word = _parts(ask)
    status = next((one for one in Status if one.value == word), None)
    if status is None:
        raise _old_card()
    return said(set_status(door.desk, incident_id, status, by=ask.user, origin=ask.origin))


def _severity(door: Door, ask: Ask) -> Answer:
    incident_id, word = _parts(ask)
    severity = next((one for one in Severity if one.value == word), None)
    if severity is None:
        raise _old_card()
    return said(set_severity(door.desk, incident_id, severity, by=ask.user, origin=ask.origin))


def _command(door: Door, ask: Ask) -> Answer:
    door.person(ask.user)
    incident_id, _ = _parts(ask)
    return said(give_role(door.desk, incident_id, Role.COMMANDER, ask.user, by=ask.user, origin=ask.origin))


def _close(door: Door, ask: Ask) -> Answer:
    about = sight.incident_of_id(door.desk, _parts(ask)[0], by=ask.user)
    if about.status.is_over:
        raise Refusal(f"{about.slug} is already {about.status.value}. `/postmortem` shows its draft.")
    return Answer(modal=close.view(about, door.zone(ask.user)))


def _entry(door: Door, ask: Ask) -> Answer:
    return Answer(modal=entry.view(sight.incident_of_id(door.desk, _parts(ask)[0], by=ask.user)))


def _update(door: Door, ask: Ask) -> Answer:
    return Answer(modal=update.view(sight.incident_of_id(door.desk, _parts(ask)[0], by=ask.user)))


def _suggest(door: Door, ask: Ask) -> Answer:
    about = sight.incident_of_id(door.desk, _parts(ask)[0], by=ask.user)
    return suggestions_shown(about.id, suggestions(door.desk, about.id, by=ask.user))


def _start(door: Door, ask: Ask) -> Answer:
    incident_id, runbook_id = _parts(ask)
    return said(start_run(door.desk, incident_id, runbook_id, by=ask.user, origin=ask.origin))


def _marked(outcome: Outcome) -> Press:
    def press(door: Door, ask: Ask) -> Answer:
        run_id, position = _parts(ask)
        if not _is_number(position):
            raise _old_step()
        door.person(ask.user)
        return said(mark_step(door.desk, run_id, int(position), outcome, by=ask.user, origin=ask.origin))

    return press


def _note(door: Door, ask: Ask) -> Answer:
    run_id, position = _parts(ask)
    if not _is_number(position):
        raise _old_step()
    return Answer(modal=step_note.view(run_id, int(position)))


def _check(door: Door, ask: Ask) -> Answer:
    return said(ask_check(door.desk, _parts(ask)[0], by=ask.user, origin=ask.origin))


def _check_step(door: Door, ask: Ask) -> Answer:
    run_id, position = _parts(ask)
    if not _is_number(position):
        raise _old_step()
    return said(check_step(door.desk, run_id, int(position), by=ask.user, origin=ask.origin))


def _reopen(door: Door, ask: Ask) -> Answer:
    return said(reopen_incident(door.desk, _parts(ask)[0], by=ask.user, origin=ask.origin))


def _archive(door: Door, ask: Ask) -> Answer:
    return said(archive_incident(door.desk, _parts(ask)[0], by=ask.user, origin=ask.origin))


def _compile(door: Door, ask: Ask) -> Answer:
    return said(compile_postmortem(door.desk, _parts(ask)[0], by=ask.user, origin=ask.origin))


def _postmortem(door: Door, ask: Ask) -> Answer:
    about = sight.incident_of_id(door.desk, _parts(ask)[0], by=ask.user)
    found = document(door.desk, about.id, by=ask.user)
    if found is None:
        return said(compile_postmortem(door.desk, about.id, by=ask.user, origin=ask.origin))
    return draft_shown(door.desk, about, found)


def _follow_up(state: FollowUpState) -> Press:
    def press(door: Door, ask: Ask) -> Answer:
        incident_id, number = _follow_up_of(ask)
        return said(
            set_follow_up_state(door.desk, incident_id, number, state, by=ask.user, origin=ask.origin)
        )

    return press


def _follow_up_of(ask: Ask) -> tuple[int, int]:
    incident_id, number = _parts(ask)
    if not _is_number(number):
        raise _old_card()
    return incident_id, int(number)


def _snooze(door: Door, ask: Ask) -> Answer:
    incident_id, number = _follow_up_of(ask)
    until = local_day(door.desk, ask.user).date() + EVERY
    return said(snooze_follow_up(door.desk, incident_id, number, until, by=ask.user, origin=ask.origin))


def _send(door: Door, ask: Ask) -> Answer:
    incident_id, number = _follow_up_of(ask)
    # Nothing in a direct message shows that it was pressed.
    return Answer(send_follow_up(door.desk, incident_id, number, by=ask.user, origin=ask.origin).text)


def _open(door: Door, ask: Ask) -> Answer:
    services = door.desk.services()
    return Answer(modal=open_incident.view(door.severity, services=services, is_from_home=ask.is_on_home))


BUTTONS: dict[str, Press] = {
    "incident_open": _open,
    "incident_status": _status,
    "incident_severity": _severity,
    "incident_command": _command,
    "incident_close": _close,
    "incident_reopen": _reopen,
    "incident_archive": _archive,
    "balancer_check": _check,
    "entry_new": _entry,
    "update_new": _update,
    "runbook_suggest": _suggest,
    "runbook_start": _start,
    "step_done": _marked(Outcome.DONE),
    "step_skipped": _marked(Outcome.SKIPPED),
    "step_failed": _marked(Outcome.FAILED),
    "step_note": _note,
    "step_check": _check_step,
    "follow_up_done": _follow_up(FollowUpState.DONE),
    "follow_up_drop": _follow_up(FollowUpState.DROPPED),
    "follow_up_snooze": _snooze,
    "follow_up_send": _send,
    "postmortem_show": _postmortem,
    "postmortem_compile": _compile,
}
