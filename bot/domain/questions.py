"""Open questions: every unknown of an incident, asked, with what to type to answer it.

The commands are kept together at the top, so that the document and the bot cannot drift apart unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.domain.draft import Question
from bot.domain.followup import FollowUp, FollowUpState, Lesson, LessonKind
from bot.domain.incident import Incident
from bot.domain.metrics import KeyTime, KeyTimes, Measure
from bot.domain.people import Role, RoleHeld
from bot.domain.runbook import Run
from bot.domain.timeline import Entry, Kind
from bot.domain.wording import Wording, counted, escaped, listed

TELL_START = "`/incident impact began 10:00`"
TELL_END = "`/incident impact ended 11:30`"
TELL_IMPACT = "`/incident impact <whom it hurts, and how much>`"
TELL_CAUSE = "`/incident cause <why it happened>`"
TELL_FIX = "`/incident fix <what was changed>`"
TELL_ENTRY = "`/log 10:30 {kind}: <what happened>`"
CORRECT_ENTRY = "`/log edit {number} 10:30`"
TAKE_ROLE = "`/incident role commander @name`"
TELL_FOLLOW_UP = "`/incident follow-up <what is to be done> @owner by 2024-06-20`"
ASSIGN_FOLLOW_UP = "`/incident follow-up {number} @name by 14 June`"
TELL_LESSON = "`/incident lesson {kind} <what is to be remembered>`"
LIST_STEPS = "`/runbook list`"
CLOSE = "`/incident close`"
COMPILE_AGAIN = "`/postmortem compile`"


_LESSONS = {
    LessonKind.IMPROVEMENT: "What should be improved for good?",
    LessonKind.WENT_WELL: "What went well?",
    LessonKind.WENT_BADLY: "What went badly?",
    LessonKind.LUCKY: "Where was the team lucky?",
}


def about_the_story(
    incident: Incident, entries: Sequence[Entry], times: KeyTimes, wording: Wording
) -> list[Question]:
    """Ask what the incident's record and its timeline leave out; `entries` are in order of time."""
    asked = []
    if times.impact_started.at is None:
        hint = _hint(entries, Kind.IMPACT, wording)
        asked.append(Question(f"When did the impact begin?{hint}", TELL_START))
    if times.resolved.at is None:
        asked.append(Question("When did the impact end?", TELL_END))
    if _is_blank(incident.impact):
        asked.append(Question("Whom did it hurt, and how much?", TELL_IMPACT))
    if _is_blank(incident.cause):
        asked.append(Question("What was the root cause?", TELL_CAUSE))
    if _is_blank(incident.fix):
        asked.append(Question("What was changed to fix it?", TELL_FIX))
    if times.detected.at is None:
        asked.append(Question("How was it noticed, and when?", TELL_ENTRY.format(kind="detection")))
    # What is logged afterwards cannot have acknowledged anything, but it does answer this.
    if times.acknowledged.at is None and not any(entry.kind is Kind.ACTION for entry in entries):
        asked.append(Question("When did somebody first take it up?", TELL_ENTRY.format(kind="action")))
    if times.mitigated.at is None:
        asked.append(Question("What eased the impact first, and when?", TELL_ENTRY.format(kind="mitigation")))
    if not any(entry.kind is Kind.RESOLUTION for entry in entries):
        asked.append(Question("What ended it, and when?", TELL_ENTRY.format(kind="resolution")))
    if not incident.status.is_over:
        asked.append(Question(f"How does it end? The incident is still {incident.status}.", CLOSE))
    return asked


def about_contradictions(measures: Iterable[Measure], wording: Wording) -> list[Question]:
    """Name each pair of moments that are the wrong way round, once."""
    asked: dict[tuple[str, str], Question] = {}
    for it in measures:
        if it.is_impossible and (it.end.name, it.start.name) not in asked:
            asked[it.end.name, it.start.name] = Question(
                f"Which moment is wrong? {_told(it.end, wording)} comes before {_told(it.start, wording)}, "
                f"so {it.name.lower()} cannot be measured.",
                _correction(it),
            )
    return list(asked.values())


def about_the_people(roles: Iterable[RoleHeld], named: Iterable[str], known: Iterable[str]) -> list[Question]:
    """Ask who led, and who is behind each id that has no name; `named` are ids in a fixed order."""
    asked = []
    if not any(held.role is Role.COMMANDER for held in roles):
        asked.append(Question("Who led the response?", TAKE_ROLE))
    names = set(known)
    strangers = [person for person in dict.fromkeys(named) if person and person not in names]
    if strangers:
        shown = listed([escaped(person).markdown for person in strangers])
        asked.append(Question(f"Who is {shown}? Slack had not given a name yet.", COMPILE_AGAIN))
    return asked


def about_the_work_left(
    follow_ups: Sequence[FollowUp], lessons: Iterable[Lesson], runs: Iterable[Run]
) -> list[Question]:
    """Ask for owners and due dates, for lessons, and for runbook steps without an outcome."""
    asked = []
    for run in runs:
        missing = run.steps_total - len({step.position for step in run.outcomes})
        if missing > 0:
            name = escaped(run.runbook_id).markdown
            asked.append(
                Question(
                    f"What came of the other {counted(missing, 'step')} of the runbook {name}?",
                    LIST_STEPS,
                )
            )
    if not follow_ups:
        asked.append(Question("What work is left for afterwards?", TELL_FOLLOW_UP))
    for item in follow_ups:
        if item.state is not FollowUpState.OPEN:
            continue
        lacks = ["who owns it"] if not item.owner else []
        lacks += ["when is it due"] if item.due_on is None else []
        if lacks:
            asked.append(
                Question(
                    f"Follow-up {item.number}: {listed(lacks)}?",
                    ASSIGN_FOLLOW_UP.format(number=item.number),
                )
            )
    told = {lesson.kind for lesson in lessons}
    asked += [
        Question(text, TELL_LESSON.format(kind=kind)) for kind, text in _LESSONS.items() if kind not in told
    ]
    return asked


def _is_blank(text: str | None) -> bool:
    return text is None or not text.strip()


def _hint(entries: Iterable[Entry], kind: Kind, wording: Wording) -> str:
    """The first entry of a kind is named, never used in the answer's place: it may have been noticed late."""
    first = next((entry for entry in entries if entry.kind is kind), None)
    if first is None:
        return ""
    when = wording.moment(first.happened_at)
    return f" The first {kind} entry is #{first.number}, {when}; it may have begun earlier."


def _told(time: KeyTime, wording: Wording) -> str:
    assert time.at is not None
    return f"{time.name} ({wording.moment(time.at)}, {time.source})"


def _correction(measure: Measure) -> str:
    """What to type to move one of the moments: the entry behind either, else the stated ends."""
    for time in (measure.end, measure.start):
        if time.source.startswith("entry #"):
            number = time.source.removeprefix("entry #").partition(",")[0]
            return CORRECT_ENTRY.format(number=number)
    return TELL_START if measure.start.name == "Impact started" else TELL_END
