"""Pulling a runbook into an incident and following it step by step."""

from __future__ import annotations

from bot.domain import markup
from bot.domain.notices import RunStarted, StepMarked, StepReached
from bot.domain.refusals import Refusal
from bot.domain.runbook import Outcome, Run, Runbook, Step
from bot.domain.suggestion import closest
from bot.domain.timeline import Kind, Source
from bot.runbooks.frozen import from_dict, to_dict
from bot.store import incident as incidents
from bot.store import runbook as runs
from bot.store.db import Session
from bot.usecases.desk import Desk, Done
from bot.usecases.incident import still_open
from bot.usecases.sight import seen
from bot.usecases.timeline import checked, write_entry


def named_runbook(desk: Desk, runbook_id: str) -> Runbook:
    """The runbook of this id. Raises Refusal with the closest one."""
    kept = desk.runbooks()
    found = kept.get(runbook_id.strip().lower().removesuffix(".md"))
    if found is None:
        near = closest(kept, runbook_id)
        hint = f" Did you mean `/runbook start {near}`?" if near else ""
        raise Refusal(
            f"There is no runbook “{markup.escape(runbook_id[:80])}”.{hint} `/runbook list` shows all of them."
        )
    return found


def start_run(desk: Desk, incident_id: int, runbook_id: str, *, by: str, origin: str | None = None) -> Done:
    """Pull a runbook into the incident, pinned to the revision it has now."""
    runbook = named_runbook(desk, runbook_id)

    def act(session: Session) -> Done:
        about = still_open(seen(session, incident_id, by))
        for other in runs.of(session, incident_id):
            if other.runbook_id == runbook.id and other.ended_at is None:
                return Done(
                    f"`{runbook.id}` is already being followed here, at step "
                    f"{len(other.outcomes) + 1} of {other.steps_total}.",
                    incident_id=incident_id,
                    is_new=False,
                )
        now = desk.clock()
        run = runs.add(
            session,
            incident_id=incident_id,
            runbook_id=runbook.id,
            runbook_title=runbook.title,
            revision=runbook.revision,
            snapshot=to_dict(runbook),
            steps_total=len(runbook.steps),
            started_at=now,
            started_by=by,
            commit=runbook.commit or None,
        )
        title = markup.escape(runbook.title)
        entry = write_entry(
            desk,
            session,
            about,
            f"Runbook {runbook.id} started: {title} ({run.source})",
            kind=Kind.RUNBOOK,
            by=by,
            source=Source.RUNBOOK,
            is_shown=False,
        )
        desk.tell(session, RunStarted(incident_id, run.id), asked_by=by)
        if runbook.steps:
            desk.tell(session, StepReached(incident_id, run.id, 0))
        return Done(
            f"Runbook *{title}* is coming into the channel with its first step of {len(runbook.steps)}.",
            incident_id=incident_id,
            entry=entry.number,
        )

    return desk.once(origin, act)


def run_of(session: Session, run_id: int, by: str) -> tuple[Run, Runbook]:
    """A run and its runbook, its incident locked for `by`. Raises Refusal when there is none or they may not see it."""
    run = runs.find(session, run_id)
    if run is None:
        raise Refusal("That runbook is not in any incident any more. `/runbook list` shows what there is.")
    seen(session, run.incident_id, by)
    # Read again under the incident's lock: two people may press at once.
    fresh = runs.find(session, run_id)
    assert fresh is not None
    return fresh, from_dict(runs.snapshot(session, run_id))


def _step(runbook: Runbook, position: int) -> Step:
    if not 0 <= position < len(runbook.steps):
        raise Refusal(
            "That runbook has no such step. Use the buttons under its last step, or see `/runbook list`."
        )
    return runbook.steps[position]


def mark_step(
    desk: Desk,
    run_id: int,
    position: int,
    outcome: Outcome,
    *,
    by: str,
    note: str = "",
    origin: str | None = None,
) -> Done:
    """Write down what came of a step, and bring the next one. The first outcome stands."""
    kept = checked(note, example="the weights were 200/10/10/10", longest=1000) if note.strip() else ""

    def act(session: Session) -> Done:
        return mark(desk, session, run_id, position, outcome, by=by, note=kept)

    return desk.once(origin, act)


def mark(
    desk: Desk, session: Session, run_id: int, position: int, outcome: Outcome, *, by: str, note: str
) -> Done:
    """The same inside another deed's transaction; `note` is checked already."""
    run, runbook = run_of(session, run_id, by)
    step = _step(runbook, position)
    about = still_open(incidents.get(session, run.incident_id))
    is_first = runs.mark(
        session,
        run_id=run_id,
        position=position,
        title=step.title,
        outcome=outcome,
        note=note,
        by=by,
        at=desk.clock(),
    )
    if not is_first:
        stands = next(one for one in run.outcomes if one.position == position)
        return Done(
            f"Step {position + 1} was already marked {stands.outcome.value} by <@{stands.by}>.",
            incident_id=run.incident_id,
            is_new=False,
        )
    title = markup.escape(step.title)
    text = f"Runbook {run.runbook_id} step {position + 1} of {run.steps_total} {outcome.value}: {title}"
    text += f" ({note})" if note else ""
    entry = write_entry(
        desk,
        session,
        about,
        f"{text} [revision {run.revision}]",
        kind=Kind.RUNBOOK,
        by=by,
        source=Source.RUNBOOK,
        is_shown=False,
    )
    desk.tell(session, StepMarked(run.incident_id, run_id, position))
    _go_on(desk, session, run, position)
    return Done(
        f"Step {position + 1} is {outcome.value}, noted as *#{entry.number}*.",
        incident_id=run.incident_id,
        entry=entry.number,
    )


def _go_on(desk: Desk, session: Session, run: Run, position: int) -> None:
    marked = {one.position for one in run.outcomes} | {position}
    if len(marked) == run.steps_total:
        runs.end(session, run.id, desk.clock())
        return
    following = position + 1
    if following < run.steps_total and following not in marked:
        desk.tell(session, StepReached(run.incident_id, run.id, following))


def note_step(
    desk: Desk, run_id: int, position: int, note: str, *, by: str, origin: str | None = None
) -> Done:
    """Write a note about a step, before or after its outcome."""
    kept = checked(note, example="auth1 had weight 200", longest=1000)

    def act(session: Session) -> Done:
        run, runbook = run_of(session, run_id, by)
        _step(runbook, position)
        about = incidents.get(session, run.incident_id)
        entry = write_entry(
            desk,
            session,
            about,
            f"Runbook {run.runbook_id} step {position + 1}: {kept}",
            kind=Kind.RUNBOOK,
            by=by,
            source=Source.RUNBOOK,
        )
        if any(one.position == position for one in run.outcomes):
            runs.add_note(session, run_id, position, kept)
            desk.tell(session, StepMarked(run.incident_id, run_id, position))
        return Done(f"Noted as *#{entry.number}*.", incident_id=run.incident_id, entry=entry.number)

    return desk.once(origin, act)
