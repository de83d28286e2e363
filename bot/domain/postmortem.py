"""The postmortem: the facts it is made of, and (compile_draft, below) what is said about them.

Every sentence comes from an entry or a field. Unknown is said, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo

from bot.domain.draft import (
    Day,
    Draft,
    EntryLine,
    FollowUpLine,
    Group,
    KeyTimeLine,
    MeasureLine,
    ResponderLine,
    RoleLine,
    RunBlock,
    StepLine,
    UpdateLine,
    Words,
)
from bot.domain.followup import FollowUp, Lesson, LessonKind
from bot.domain.incident import Incident, Status
from bot.domain.metrics import KeyTime, KeyTimes, Measure, key_times, measure
from bot.domain.people import Person, Responder, Role, RoleHeld
from bot.domain.questions import (
    about_contradictions,
    about_the_people,
    about_the_story,
    about_the_work_left,
)
from bot.domain.refusals import Refusal
from bot.domain.runbook import Outcome, Run, RunStep, short
from bot.domain.sections import Sections
from bot.domain.timeline import Entry, Kind, Source
from bot.domain.when import say_duration
from bot.domain.wording import WEEKDAYS, Wording, clock, counted, escaped, link, listed, on_day, stamp, times
from bot.domain.zone import zone_named


@dataclass(frozen=True)
class Update:
    """What stakeholders were told."""

    id: int
    incident_id: int
    #: Slack mrkdwn.
    text: str
    sent_at: datetime
    sent_by: str


@dataclass(frozen=True)
class Revision:
    """One state of a postmortem's text. Revision 1 is the draft made at closing."""

    id: int
    incident_id: int
    #: 1, 2, 3 ... within the incident.
    number: int
    markdown: str
    #: SHA-256 (hex) of `markdown`.
    digest: str
    created_at: datetime
    created_by: str
    #: The same, section by section: `joined(sections)` is `markdown`.
    sections: Sections = ()


@dataclass(frozen=True)
class Facts:
    """All that is known about one incident: the only input of a draft."""

    incident: Incident
    #: Live entries (not undone), in any order.
    entries: tuple[Entry, ...]
    roles: tuple[RoleHeld, ...]
    responders: tuple[Responder, ...]
    follow_ups: tuple[FollowUp, ...]
    lessons: tuple[Lesson, ...]
    updates: tuple[Update, ...]
    runs: tuple[Run, ...]
    #: Slack id -> person, for everyone named anywhere.
    people: dict[str, Person]
    #: Slack id -> channel name, for channels named anywhere.
    channels: dict[str, str]
    #: IANA name of the team's zone, e.g. "Europe/Berlin"; "UTC" when none is set.
    team_zone: str = "UTC"


#: An entry written down this long after the thing happened carries a remark that says when.
LATE = timedelta(minutes=15)

_GROUPS = (
    ("Detection", (Kind.DETECTION,), "No detection was recorded."),
    (
        "Actions taken",
        (Kind.ACTION, Kind.DECISION, Kind.HYPOTHESIS, Kind.FINDING, Kind.MITIGATION),
        "No action, decision, hypothesis, finding or mitigation was recorded.",
    ),
    ("Misleading paths", (Kind.DEAD_END,), "No dead end was recorded."),
    ("Escalation", (Kind.ESCALATION,), "No escalation was recorded."),
    ("Resolution", (Kind.RESOLUTION,), "No resolution was recorded."),
)
_REMEDIES = (
    ("Mitigation (what eased the impact)", (Kind.MITIGATION,), "No mitigation was recorded."),
    ("Resolution (what ended it)", (Kind.RESOLUTION,), "No resolution was recorded."),
)
_COMMS = ("Said to others", (Kind.COMMS,), "No comms entry was recorded.")


def compile_draft(facts: Facts) -> Draft:
    """Say what the facts say. The same facts, in any order, give an equal draft: no clock, no set order."""
    facts = _in_order(facts)
    incident, entries, lessons = facts.incident, facts.entries, facts.lessons
    zone, zone_problem = _zone(facts.team_zone)
    names = {person: known.name for person, known in facts.people.items() if known.name}
    bots = {person for person, known in facts.people.items() if known.is_bot}
    wording = Wording(names, facts.channels, zone)
    moments = key_times(incident, entries, facts.roles, bots)
    measures = measure(
        moments, (update.sent_at for update in facts.updates), (entry.happened_at for entry in entries)
    )
    lines = [_entry_line(entry, wording) for entry in entries]
    told = list(zip(entries, lines, strict=True))
    return Draft(
        slug=incident.slug,
        title=wording.title(incident.title),
        severity=incident.severity,
        status=incident.status,
        banners=_banners(incident),
        duration=_duration(moments),
        duration_local=_duration_local(moments, wording),
        impact=wording.words(incident.impact),
        cause=wording.words(incident.cause),
        fix=wording.words(incident.fix),
        clocks=zone_problem or _clocks(lines, facts.team_zone),
        days=_days(told),
        groups=tuple(_group(told, *each) for each in _GROUPS),
        remedies=tuple(_group(told, *each) for each in _REMEDIES),
        improvements=_said(lessons, LessonKind.IMPROVEMENT, wording),
        follow_ups=tuple(_follow_up_line(item, wording) for item in facts.follow_ups),
        key_times=tuple(_key_time_line(time, wording) for time in moments.in_order()),
        measures=tuple(_measure_line(it, len(facts.updates)) for it in measures),
        opened_by=wording.person(incident.opened_by),
        roles=_role_lines(facts.roles, wording),
        responders=_responder_lines(facts.responders, bots, wording),
        runs=tuple(_run_block(run, wording) for run in facts.runs),
        updates=tuple(_update_line(update, wording) for update in facts.updates),
        # Lantern's own notes of updates are left out here: the updates themselves are told.
        comms=_group([each for each in told if each[0].source is not Source.AUTOMATIC], *_COMMS),
        went_well=_said(lessons, LessonKind.WENT_WELL, wording),
        went_badly=_said(lessons, LessonKind.WENT_BADLY, wording),
        lucky=_said(lessons, LessonKind.LUCKY, wording),
        questions=(
            *about_the_story(incident, entries, moments, wording),
            *about_contradictions(measures, wording),
            *about_the_people(facts.roles, _named(facts), names),
            *about_the_work_left(facts.follow_ups, lessons, facts.runs),
        ),
    )


def _in_order(facts: Facts) -> Facts:
    """The same facts, each kind in the order it is told; undone entries are left out."""
    live = (entry for entry in facts.entries if entry.undone_at is None)
    runs = sorted(facts.runs, key=lambda run: (run.started_at, run.id))
    return replace(
        facts,
        entries=tuple(sorted(live, key=lambda entry: (entry.happened_at, entry.number, entry.id))),
        roles=tuple(sorted(facts.roles, key=lambda held: (held.since_at, held.id))),
        responders=tuple(sorted(facts.responders, key=lambda each: (each.joined_at, each.id))),
        follow_ups=tuple(sorted(facts.follow_ups, key=lambda item: (item.number, item.id))),
        lessons=tuple(sorted(facts.lessons, key=lambda lesson: (lesson.created_at, lesson.id))),
        updates=tuple(sorted(facts.updates, key=lambda update: (update.sent_at, update.id))),
        runs=tuple(replace(run, outcomes=_steps_in_order(run.outcomes)) for run in runs),
    )


def _steps_in_order(steps: Iterable[RunStep]) -> tuple[RunStep, ...]:
    return tuple(sorted(steps, key=lambda step: (step.position, step.at, step.id)))


def _group(
    told: Iterable[tuple[Entry, EntryLine]], title: str, kinds: tuple[Kind, ...], nothing: str
) -> Group:
    return Group(title, tuple(line for entry, line in told if entry.kind in kinds), nothing)


def _said(lessons: Iterable[Lesson], kind: LessonKind, wording: Wording) -> tuple[Words, ...]:
    return tuple(wording.words(lesson.text) for lesson in lessons if lesson.kind is kind)


def _update_line(update: Update, wording: Wording) -> UpdateLine:
    return UpdateLine(
        wording.moment(update.sent_at), wording.person(update.sent_by), wording.words(update.text)
    )


def _zone(name: str) -> tuple[tzinfo, str]:
    """A draft is made even when the zone's name is wrong: by UTC alone, and it says so."""
    try:
        return zone_named(name), ""
    except Refusal:
        shown = escaped(name).markdown
        return UTC, f"All clocks are UTC: the team's zone {shown} is not a zone this machine knows."


def _banners(incident: Incident) -> tuple[str, ...]:
    said = []
    if incident.is_drill:
        said.append("**Drill.** This was an exercise: nothing here happened to real people.")
    if incident.is_private:
        said.append("**Private.** For the members of the incident's channel; ask them before passing it on.")
    if incident.status is Status.CANCELLED:
        said.append("**Cancelled.** This turned out not to be an incident.")
    if incident.status is Status.MERGED and incident.merged_into is not None:
        said.append(f"**Merged** into inc-{incident.merged_into:04d}; the story goes on there.")
    if not incident.status.is_over:
        said.append("**Still open.** This draft was made before the incident was closed.")
    return tuple(said)


def _duration(moments: KeyTimes) -> str:
    began, ended = moments.impact_started.at, moments.resolved.at
    if began is None or ended is None:
        since = f"{stamp(began)} UTC" if began else "unknown"
        until = f"{stamp(ended)} UTC" if ended else "unknown"
        return f"**unknown** (began: {since}; ended: {until})"
    ends = f"{stamp(began)} - {stamp(ended)} (UTC)"
    if ended < began:
        return f"{ends}: not possible as recorded, see the open questions"
    return f"{ends}: {say_duration(ended - began)}"


def _duration_local(moments: KeyTimes, wording: Wording) -> str:
    began, ended = moments.impact_started.at, moments.resolved.at
    return wording.local_ends(began, ended) if began and ended else ""


def _entry_line(entry: Entry, wording: Wording) -> EntryLine:
    remarks = []
    noted_by = wording.person(entry.recorded_by) if entry.recorded_by != entry.author else None
    if entry.recorded_at - entry.happened_at > LATE:
        by = f" by {noted_by}" if noted_by else ""
        remarks.append(f"written down {wording.moment(entry.recorded_at)}{by}")
    elif noted_by:
        remarks.append(f"written down by {noted_by}")
    if entry.edits:
        remarks.append(f"edited {times(entry.edits)}")
    ref = f"#{entry.number}"
    return EntryLine(
        number=entry.number,
        ref=link(ref, entry.permalink) if entry.permalink else ref,
        kind=entry.kind,
        moment=stamp(entry.happened_at),
        clock=clock(entry.happened_at),
        local=wording.local(entry.happened_at),
        author=wording.person(entry.author),
        text=wording.words(entry.text) if entry.text.strip() else Words("", ""),
        remark="; ".join(remarks),
        images=tuple(
            link(escaped(image.name or image.file_id).markdown, image.permalink) for image in entry.images
        ),
    )


def _clocks(lines: list[EntryLine], team_zone: str) -> str:
    if any(line.local for line in lines):
        return f"Clocks are UTC; in brackets, the team's own ({escaped(team_zone).markdown})."
    return "All clocks are UTC."


def _days(told: Iterable[tuple[Entry, EntryLine]]) -> tuple[Day, ...]:
    days: dict[date, list[EntryLine]] = {}
    for entry, line in told:
        days.setdefault(entry.happened_at.date(), []).append(line)
    return tuple(
        Day(f"{WEEKDAYS[day.weekday()]}, {on_day(day)}", tuple(lines)) for day, lines in days.items()
    )


def _follow_up_line(item: FollowUp, wording: Wording) -> FollowUpLine:
    return FollowUpLine(
        number=item.number,
        text=wording.words(item.text),
        owner=wording.person(item.owner) if item.owner else Words("no owner yet", "no owner yet"),
        due=f"due {on_day(item.due_on)}" if item.due_on else "no due date",
        state=item.state,
    )


def _key_time_line(time: KeyTime, wording: Wording) -> KeyTimeLine:
    if time.at is None:
        return KeyTimeLine(time.name, "**unknown**", time.definition, "not known")
    return KeyTimeLine(time.name, wording.moment(time.at), time.definition, time.source)


def _measure_line(it: Measure, update_count: int) -> MeasureLine:
    if it.is_impossible:
        value = "not possible as recorded, see the open questions"
    elif it.value is not None:
        value = say_duration(it.value)
    elif it.end.name == "First update" and not update_count:
        value = "no update was sent"
    else:
        value = "**unknown**"
    return MeasureLine(it.name, value, it.definition)


def _role_lines(roles: tuple[RoleHeld, ...], wording: Wording) -> tuple[RoleLine, ...]:
    told = []
    for role in Role:
        before: RoleHeld | None = None
        for held in (each for each in roles if each.role is role):
            handed = before is not None and before.until_at is not None and before.until_at <= held.since_at
            remark = f"taken over from {wording.person(before.person)}" if before and handed else ""
            span = wording.span(held.since_at, held.until_at)
            told.append(RoleLine(role, wording.person(held.person), span, remark))
            before = held
    return tuple(told)


def _responder_lines(
    responders: tuple[Responder, ...], bots: set[str], wording: Wording
) -> tuple[ResponderLine, ...]:
    def span(each: Responder) -> str:
        left = f", left {wording.moment(each.left_at)}" if each.left_at else ""
        return f"joined {wording.moment(each.joined_at)}{left}"

    return tuple(
        ResponderLine(wording.person(each.person), span(each))
        for each in responders
        if each.person not in bots
    )


def _run_block(run: Run, wording: Wording) -> RunBlock:
    # The last word on a step counts: failed first, done in the end, is done.
    last = {step.position: step.outcome for step in run.outcomes}
    counts = [(sum(each is outcome for each in last.values()), outcome) for outcome in Outcome]
    tally = f"{len(last)} of {counted(run.steps_total, 'step')} with an outcome"
    if last:
        tally += ": " + ", ".join(f"{count} {outcome}" for count, outcome in counts if count)
    missing = [str(place + 1) for place in range(run.steps_total) if place not in last]
    noun = "step" if len(missing) == 1 else "steps"
    return RunBlock(
        id=escaped(run.runbook_id),
        title=escaped(run.runbook_title),
        revision=escaped(run.revision).markdown,
        commit=short(run.commit or ""),
        by=wording.person(run.started_by),
        span=wording.span(run.started_at, run.ended_at),
        tally=tally,
        steps=tuple(_step_line(step, wording) for step in run.outcomes),
        missing=f"No outcome was recorded for {noun} {listed(missing)}." if missing else "",
    )


def _step_line(step: RunStep, wording: Wording) -> StepLine:
    return StepLine(
        number=step.position + 1,
        title=escaped(step.title),
        outcome=step.outcome,
        by=wording.person(step.by),
        when=wording.moment(step.at),
        note=wording.words(step.note) if step.note.strip() else Words("", ""),
    )


def _named(facts: Facts) -> Iterator[str]:
    """Every id the document prints, in a fixed order."""
    yield facts.incident.opened_by
    for entry in facts.entries:
        yield from (entry.author, entry.recorded_by)
    yield from (held.person for held in facts.roles)
    yield from (each.person for each in facts.responders)
    yield from (update.sent_by for update in facts.updates)
    yield from (item.owner for item in facts.follow_ups if item.owner)
    for run in facts.runs:
        yield run.started_by
        yield from (step.by for step in run.outcomes)
