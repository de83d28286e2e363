"""Having the balancer of an incident's service read, and keeping what it came to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bot.domain import expectation, markup
from bot.domain.catalogue import Balancer, Service
from bot.domain.expectation import seconds
from bot.domain.incident import Incident
from bot.domain.notices import BalancerAsked, BalancerRead
from bot.domain.reading import Reading
from bot.domain.refusals import Refusal
from bot.domain.runbook import Check, Outcome, Phase, Runbook
from bot.domain.timeline import Kind, Source
from bot.domain.variables import VARIABLE, of_service
from bot.runbooks.filling import fill
from bot.store import incident as incidents
from bot.store import reading as readings
from bot.store.db import Session
from bot.usecases import runbook as runbooks
from bot.usecases.desk import Desk, Done
from bot.usecases.incident import changed, known_service, still_open
from bot.usecases.owner import call_owner, service_of
from bot.usecases.sight import seen
from bot.usecases.timeline import write_entry


def ask_check(desk: Desk, incident_id: int, *, by: str, origin: str | None = None) -> Done:
    """Have the balancers of the incident's service read. Raises Refusal when there are none to read."""

    def act(session: Session) -> Done:
        about = still_open(seen(session, incident_id, by))
        service = service_of(desk, about)
        if service is None or not service.balancers:
            raise Refusal(_nothing_to_read(desk, about, service))
        ask(desk, session, about, service, by=by)
        seconds = f"{desk.options.look_for:.0f} to {desk.options.look_at_most:.0f} s"
        names = ", ".join(f"{one.kind} {one.backend}" for one in service.balancers)
        return Done(f"Looking at {names} for {seconds}; the answer comes here.", incident_id=incident_id)

    return desk.once(origin, act)


def ask(desk: Desk, session: Session, about: Incident, service: Service, *, by: str) -> None:
    """Put the readings of a service's balancers into the outbox, inside a deed's transaction."""
    for which in range(len(service.balancers)):
        desk.tell(session, BalancerAsked(about.id, by, which), asked_by=by)


def _nothing_to_read(desk: Desk, about: Incident, service: Service | None) -> str:
    known = sorted(name for name, one in desk.services().items() if one.balancers)
    if not known:
        return (
            "No balancer is in the catalogue yet. Write one into the file that LANTERN_CATALOGUE names, for example "
            "`services: {login: {balancers: [{kind: haproxy, address: unix:/run/haproxy/stats.sock, "
            "backend: be_auth}]}}`"
        )
    if service is not None:
        return (
            f"The catalogue names no balancer of `{service.name}`. Say another service, for example "
            f"`/incident service {known[0]}`."
        )
    return (
        f"{about.slug} has no service yet. Say which it is, and its balancer is read: `/incident service {known[0]}`. "
        f"With a balancer there are: {', '.join(f'`{name}`' for name in known[:10])}."
    )


def set_service(desk: Desk, incident_id: int, name: str, *, by: str, origin: str | None = None) -> Done:
    """Say which service the incident is about; its balancer is read at once. Raises Refusal for an unknown one."""

    def act(session: Session) -> Done:
        about = seen(session, incident_id, by)
        service = known_service(desk, name)
        if about.service == service.name:
            return Done(f"The service is already *{service.name}*.", incident_id=incident_id, is_new=False)
        named = incidents.save(session, incident_id, service=service.name)
        entry = write_entry(
            desk,
            session,
            about,
            f"Service: {service.name}" + (f" (owner {service.owner})" if service.owner else ""),
            kind=Kind.NOTE,
            by=by,
            source=Source.AUTOMATIC,
        )
        changed(desk, session, incident_id)
        call_owner(desk, session, named)
        looked = ""
        if service.balancers and not about.status.is_over:
            ask(desk, session, about, service, by=by)
            looked = " Its balancer is being read."
        return Done(
            f"The service is now *{service.name}*.{looked}", incident_id=incident_id, entry=entry.number
        )

    return desk.once(origin, act)


_NOT_IT = "the balancer is not the cause; look at the application"


def asked_balancer(desk: Desk, incident_id: int, which: int) -> tuple[Incident, Service, Balancer] | None:
    """What a reading is to look at; None when the catalogue has it no more, or the incident is over."""
    with desk.db.reading() as session:
        about = incidents.get(session, incident_id)
    service = service_of(desk, about)
    if service is None or which >= len(service.balancers) or about.is_archived:
        return None
    return about, service, service.balancers[which]


def check_step(desk: Desk, run_id: int, position: int, *, by: str, origin: str | None = None) -> Done:
    """Have the balancer read for a step of a runbook; what is read becomes the step's outcome."""

    def act(session: Session) -> Done:
        run, runbook = runbooks.run_of(session, run_id, by)
        about = still_open(incidents.get(session, run.incident_id))
        service = service_of(desk, about)
        if service is None or not service.balancers:
            raise Refusal(_nothing_to_read(desk, about, service))
        if any(one.position == position for one in run.outcomes):
            return Done(f"Step {position + 1} has its outcome already.", incident_id=about.id, is_new=False)
        check = runbook.steps[position].check if 0 <= position < len(runbook.steps) else None
        if check is None:
            raise Refusal("That step has nothing that Lantern can read. Mark it with the buttons under it.")
        which = _meant(runbook, check, service)
        window = seconds(check.params.get("window", "")) or 0.0
        desk.tell(session, BalancerAsked(about.id, by, which, run_id, position, window), asked_by=by)
        return Done(f"Reading the balancer for step {position + 1}.", incident_id=about.id)

    return desk.once(origin, act)


def _meant(runbook: Runbook, check: Check, service: Service) -> int:
    """Which of the service's balancers a check is about, by its backend; the first when it names none."""
    named = fill(check.params.get("backend", ""), runbook, of_service(service))
    backends = [one.backend for one in service.balancers]
    if not named or VARIABLE.search(named):
        return 0
    if named not in backends:
        raise Refusal(
            f"The step asks about the backend `{named}`; the catalogue has {', '.join(f'`{one}`' for one in backends)} "
            f"for {service.name}. Correct the runbook's `backend`, or the catalogue."
        )
    return backends.index(named)


def asked_step(args: dict[str, Any]) -> tuple[int, int] | None:
    """The run and the step that asked for a reading; None when nobody's step did."""
    run_id, position = int(args.get("run_id", 0)), int(args.get("position", -1))
    return (run_id, position) if run_id and position >= 0 else None


def reading_taken(
    desk: Desk,
    session: Session,
    incident_id: int,
    found: dict[str, Any],
    evidence: dict[str, Any],
    *,
    by: str,
    step: tuple[int, int] | None = None,
) -> None:
    """A reading is finished: it becomes a finding on the timeline, and the channel is told."""
    moments = {name: datetime.fromisoformat(found[name]) for name in ("began_at", "taken_at")}
    former = readings.latest(session, incident_id, found["kind"], found["backend"])
    if former is not None and former.is_bad and found["is_judged"] and not found["is_bad"]:
        # Whoever just corrected it is not to be sent elsewhere.
        found = {**found, "sentence": found["sentence"].replace(_NOT_IT, "the balancer is well again")}
    kept = readings.add(
        session, incident_id=incident_id, asked_by=by, evidence=evidence, **{**found, **moments}
    )
    about = incidents.lock(session, incident_id)
    assert about is not None
    write_entry(
        desk,
        session,
        about,
        f"Balancer check ({kept.kind} {kept.backend}): {markup.escape(kept.sentence)}",
        kind=Kind.FINDING if kept.is_judged else Kind.NOTE,
        by=by,
        source=Source.AUTOMATIC,
        is_shown=False,
    )
    desk.tell(session, BalancerRead(incident_id, kept.id), asked_by=by)
    if step is not None:
        _step_read(desk, session, kept, step, by=by)


def _step_read(desk: Desk, session: Session, kept: Reading, step: tuple[int, int], *, by: str) -> None:
    """The outcome of the step that asked: as expected, or not; nothing when it could not be judged."""
    _, runbook = runbooks.run_of(session, step[0], by)
    check = runbook.steps[step[1]].check
    about = incidents.get(session, kept.incident_id)
    if check is None or not kept.figures or about.status.is_over:
        return
    told = expectation.told(kept.figures, check.expect)
    if not told.is_known:
        _not_known(desk, session, about, step, told.words, by=by)
        return
    if not kept.is_judged and not told.is_met:
        return
    # To confirm is to learn that something is wrong: only a cure that did not work has failed.
    is_failed = not told.is_met and runbook.steps[step[1]].phase is Phase.VERIFY
    outcome = Outcome.FAILED if is_failed else Outcome.DONE
    runbooks.mark(desk, session, step[0], step[1], outcome, by=by, note=markup.escape(told.words))


def _not_known(
    desk: Desk, session: Session, about: Incident, step: tuple[int, int], words: str, *, by: str
) -> None:
    """Nothing that the step expects can be read here: said in its own words, and left to people."""
    run, _ = runbooks.run_of(session, step[0], by)
    text = f"Runbook {run.runbook_id} step {step[1] + 1} cannot be judged: {words}. Mark it by hand."
    write_entry(desk, session, about, text, kind=Kind.RUNBOOK, by=by, source=Source.RUNBOOK)


def reading_with_former(desk: Desk, reading_id: int) -> tuple[Reading, Reading | None, dict[str, Any]]:
    """A reading, the one before it of the same pool, and what the balancer answered."""
    with desk.db.reading() as session:
        kept = readings.get(session, reading_id)
        return kept, readings.former(session, kept), readings.evidence(session, reading_id)
