"""The postmortem draft: what a reader finds in it, and what nobody can make it do."""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.domain.draft import EntryLine
from bot.domain.followup import FollowUpState
from bot.domain.incident import Status
from bot.domain.people import Person
from bot.domain.postmortem import Facts, compile_draft
from bot.domain.runbook import Run
from bot.domain.sample import sample_facts
from bot.domain.timeline import Image, Kind
from bot.exporters.markdown import render, summary
from tests.story import entry, june, login_outage, nothing_known

GOLDEN = Path(__file__).parent / "golden"
SECTIONS = [
    "Issue Summary",
    "Timeline",
    "Root Cause and Resolution",
    "Corrective and Preventive Measures",
    "Key times",
    "People and roles",
    "Runbooks used",
    "Communications",
    "Lessons",
    "Open questions",
]
HOSTILE = (
    "{{ 7*7 }} {% for x in y %}",
    "<script>alert(1)</script>",
    "```\n# in a fence\n```",
    "before\n```\nnever closed",
    "a | b | c\n| --- | --- | --- |",
    "# a heading",
    "heading\n===",
    "- a list\n1. another",
    "![x](https://example.com/x.png)",
    "[x](javascript:alert(1))",
    "<javascript:alert(1)|press>",
    "long " + "word" * 800,
    "\u202ethgir ot tfel",
    "---\n***\n___",
    "&lt;img src=x onerror=alert(1)&gt;",
    "    indented\n\ttabbed",
    "> quoted\n&gt; quoted",
    "<!--\nnever closed",
    "<https://example.com/a)b|see>",
    "[ref]: https://example.com",
)


def text_of(facts: Facts) -> str:
    return render(compile_draft(facts))


def part(text: str, heading: str) -> str:
    """One section or sub-section of a draft, up to the next heading of its rank or above."""
    rank = "## " if f"\n## {heading}\n" in text else "### "
    after = text.split(f"\n{rank}{heading}\n", 1)[1]
    ends = [after.find(mark) for mark in ("\n## ", f"\n{rank}") if mark in after]
    return after[: min(ends, default=len(after))].strip()


def parsed(text: str) -> list[Token]:
    found = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        found += [token, *(token.children or [])]
    return found


def shown(text: str) -> str:
    """Everything a reader of the rendered document sees, spaces evened out."""
    words = []
    for token in parsed(text):
        if token.type in ("text", "code_inline", "code_block", "fence"):
            words.append(token.content)
        elif token.type in ("softbreak", "hardbreak", "inline"):
            words.append(" ")
    return " ".join("".join(words).split())


def entry_lines(facts: Facts) -> dict[int, EntryLine]:
    return {line.number: line for day in compile_draft(facts).days for line in day.entries}


def check_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("LANTERN_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path} differs; LANTERN_WRITE_GOLDEN=1 writes it anew"


def test_the_login_outage_is_told_from_alert_to_tasks():
    check_golden("seed.md", text_of(login_outage("Europe/Berlin")))


def test_an_incident_of_which_nothing_is_known_gets_an_honest_draft():
    check_golden("nothing-known.md", text_of(nothing_known()))


@pytest.mark.parametrize("facts", [login_outage(), nothing_known(), sample_facts()])
def test_every_draft_has_the_same_sections_in_the_same_order(facts):
    headings = [line[3:] for line in text_of(facts).split("\n") if line.startswith("## ")]
    assert headings == SECTIONS


def test_the_duration_names_both_ends_and_keeps_the_hours_past_midnight():
    draft = compile_draft(login_outage("Europe/Berlin"))
    assert draft.duration == "June 3, 2024 10:00 - June 4, 2024 01:00 (UTC): 15 hours"
    assert draft.duration_local == "June 3, 2024 12:00 - June 4, 2024 03:00 (CEST)"
    assert compile_draft(login_outage()).duration_local == ""


def test_dead_ends_are_found_under_misleading_paths():
    text = part(text_of(login_outage()), "Misleading paths")
    assert "Database performance" in text
    assert "Application code" in text
    assert text.count("\n- ") + 1 == 2


def test_entries_stand_in_the_order_things_happened_not_in_which_they_were_written():
    lines = [line for day in compile_draft(login_outage()).days for line in day.entries]
    assert [line.number for line in lines][:3] == [2, 1, 3]
    assert [len(day.entries) for day in compile_draft(login_outage()).days] == [15, 1]


def test_an_entry_written_down_late_says_so_and_a_prompt_one_does_not():
    lines = entry_lines(login_outage())
    assert lines[6].remark == "written down June 3, 2024 15:05 UTC"
    assert lines[2].remark == ""
    assert lines[7].remark == "edited once"
    assert lines[10].remark == "written down by Ben"


def test_the_teams_clock_is_shown_where_it_differs_with_its_own_date():
    lines = entry_lines(login_outage("Europe/Berlin"))
    assert lines[2].local == "12:30 CEST"
    assert lines[14].local == "June 4, 2024 01:40 CEST"
    in_winter = entry(1, Kind.NOTE, june(3, 1).replace(month=1), "x")
    assert entry_lines(replace(login_outage("Europe/London"), entries=(in_winter,)))[1].local == ""


def test_a_zone_nobody_knows_costs_no_draft():
    draft = compile_draft(login_outage("Mars/Olympus"))
    assert "Mars/Olympus is not a zone" in draft.clocks
    assert draft.entry_count == 16


def test_an_undone_entry_is_left_out():
    facts = login_outage()
    undone = replace(facts.entries[4], undone_at=june(3, 12))
    assert "Looked through the logs" in text_of(facts)
    assert "Looked through the logs" not in text_of(replace(facts, entries=(*facts.entries[:4], undone)))


def test_unknowns_are_asked_with_the_command_that_answers_them():
    asked = {question.text: question.answer for question in compile_draft(nothing_known()).questions}
    assert asked["When did the impact begin?"] == "`/incident impact began 10:00`"
    assert asked["What was the root cause?"].startswith("`/incident cause")
    assert asked["Who led the response?"].startswith("`/incident role commander")


def test_the_first_impact_entry_is_a_hint_and_not_an_answer():
    facts = login_outage()
    draft = compile_draft(replace(facts, incident=replace(facts.incident, impact_started_at=None)))
    assert draft.duration == "**unknown** (began: unknown; ended: June 4, 2024 01:00 UTC)"
    assert draft.questions[0].text.startswith("When did the impact begin? The first impact entry is #3,")


def test_an_impossible_span_is_asked_about_and_not_printed_as_a_number():
    facts = login_outage()
    draft = compile_draft(replace(facts, incident=replace(facts.incident, impact_started_at=june(3, 10, 45))))
    value = next(line.value for line in draft.measures if line.name == "Time to detect")
    assert value == "not possible as recorded, see the open questions"
    asked = [question for question in draft.questions if question.text.startswith("Which moment is wrong?")]
    assert len(asked) == 1
    assert "Detected (June 3, 2024 10:30 UTC, entry #2)" in asked[0].text
    assert asked[0].answer == "`/log edit 2 10:30`"


def test_follow_ups_without_owner_or_date_say_so_and_are_asked_about():
    draft = compile_draft(login_outage())
    assert (draft.follow_ups[4].owner.plain, draft.follow_ups[4].due) == ("no owner yet", "no due date")
    asked = [question.text for question in draft.questions]
    assert "Follow-up 3: when is it due?" in asked
    assert "Follow-up 5: who owns it and when is it due?" in asked
    done = tuple(replace(item, state=FollowUpState.DONE) for item in login_outage().follow_ups)
    questions = compile_draft(replace(login_outage(), follow_ups=done)).questions
    assert not [question for question in questions if question.text.startswith("Follow-up")]


def test_a_hand_over_names_who_had_the_role_before():
    roles = compile_draft(login_outage()).roles
    assert [(role.role, role.person.plain, role.remark) for role in roles] == [
        ("commander", "Ana", ""),
        ("commander", "Ben", "taken over from Ana"),
        ("scribe", "Ben", ""),
    ]


def test_a_step_that_failed_first_and_was_done_later_counts_once_and_shows_twice():
    run = compile_draft(login_outage()).runs[0]
    assert run.tally == "3 of 5 steps with an outcome: 2 done, 1 skipped"
    assert [(step.number, step.outcome) for step in run.steps][2:] == [(3, "failed"), (3, "done")]
    assert run.missing == "No outcome was recorded for steps 4 and 5."


def test_an_update_is_told_once_among_the_communications():
    text = part(text_of(login_outage()), "Communications")
    assert text.count("We have found the cause") == 1
    assert "Support has a text" in text


def test_the_bot_is_no_responder():
    assert [line.person.plain for line in compile_draft(login_outage()).responders] == ["Ana", "Ben", "Chloe"]


def test_a_person_without_a_name_keeps_the_id_and_is_asked_about():
    facts = login_outage()
    draft = compile_draft(replace(facts, people={**facts.people, "UCHLOE": Person("UCHLOE", "")}))
    assert any("UCHLOE" in question.text for question in draft.questions)
    assert "UCHLOE" in render(draft)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"is_drill": True}, "**Drill.**"),
        ({"is_private": True}, "**Private.**"),
        ({"status": Status.CANCELLED}, "**Cancelled.**"),
        ({"status": Status.MERGED, "merged_into": 9}, "inc-0009"),
        ({"status": Status.MONITORING, "closed_at": None}, "**Still open.**"),
    ],
)
def test_what_a_reader_must_know_first_stands_first(changes, words):
    facts = login_outage()
    top = text_of(replace(facts, incident=replace(facts.incident, **changes))).split("## Issue Summary")[0]
    assert words in top


def test_the_summary_for_slack_is_short_and_plain():
    lines = summary(compile_draft(login_outage())).split("\n")
    assert lines[0] == "inc-0042 Logins fail across the web stack (SEV1, closed)"
    assert lines[1] == "Duration: June 3, 2024 10:00 - June 4, 2024 01:00 (UTC): 15 hours"
    assert lines[-1] == "16 entries, 2 dead ends, 1 runbook, 5 follow-ups, 3 open questions"
    assert "**" not in summary(compile_draft(nothing_known()))


@given(st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_the_same_facts_in_any_order_give_the_same_bytes(chance: random.Random):
    facts = login_outage("Europe/Berlin")

    def shuffled(items: tuple) -> tuple:
        return tuple(chance.sample(items, len(items)))

    runs = tuple(replace(run, outcomes=shuffled(run.outcomes)) for run in facts.runs)
    mixed = replace(
        facts,
        entries=shuffled(facts.entries),
        roles=shuffled(facts.roles),
        responders=shuffled(facts.responders),
        follow_ups=shuffled(facts.follow_ups),
        lessons=shuffled(facts.lessons),
        updates=shuffled(facts.updates),
        runs=shuffled(runs),
        people=dict(shuffled(tuple(facts.people.items()))),
    )
    assert text_of(mixed) == text_of(facts)


WORDS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)


TOLD = st.tuples(st.sampled_from(Kind), st.lists(WORDS, min_size=1, max_size=6))


@given(st.lists(TOLD, min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_nothing_an_author_wrote_is_missing(told):
    entries = tuple(
        entry(number, kind, june(3, 10) + timedelta(hours=5 * number), " ".join(words))
        for number, (kind, words) in enumerate(told, start=1)
    )
    seen = shown(part(text_of(replace(login_outage(), entries=entries)), "Timeline"))
    for _, words in told:
        assert " ".join(words) in seen


def everywhere(text: str) -> Facts:
    """A hostile text in every place that a person can write to."""
    facts = login_outage()
    image = Image("F9", text, "https://example.com/a b)(c")
    runs: tuple[Run, ...] = tuple(
        replace(
            run,
            runbook_id=text,
            runbook_title=text,
            revision=text,
            outcomes=tuple(replace(step, title=text, note=text) for step in run.outcomes),
        )
        for run in facts.runs
    )
    return replace(
        facts,
        incident=replace(facts.incident, title=text, impact=text, cause=text, fix=text),
        entries=tuple(replace(each, text=text, images=(image,)) for each in facts.entries),
        follow_ups=tuple(replace(each, text=text) for each in facts.follow_ups),
        lessons=tuple(replace(each, text=text) for each in facts.lessons),
        updates=tuple(replace(each, text=text) for each in facts.updates),
        runs=runs,
        people={person: Person(person, text, is_bot=known.is_bot) for person, known in facts.people.items()},
    )


@cache
def usual_ranks() -> list[str]:
    return [token.tag for token in parsed(text_of(everywhere("words"))) if token.type == "heading_open"]


def check_inert(text: str) -> None:
    tokens = parsed(text_of(everywhere(text)))
    assert not [token for token in tokens if token.type in ("html_block", "html_inline", "image")]
    ranks = [token.tag for token in tokens if token.type == "heading_open"]
    assert ranks == usual_ranks()
    assert sum(token.type == "table_open" for token in tokens) == 2
    assert not [token for token in tokens if token.type == "hr"]
    links = [str(token.attrs["href"]) for token in tokens if token.type == "link_open"]
    assert all(href.startswith(("https://", "http://", "mailto:")) for href in links)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_wherever_it_is_written(text):
    check_inert(text)


@given(st.text(st.sampled_from("#-*_`~>|<!&[]()=+.:/ \n\t1aé"), min_size=1, max_size=30).filter(str.strip))
@settings(max_examples=60, deadline=None)
def test_no_mixture_of_markup_becomes_markup(text):
    check_inert(text)


def test_braces_in_a_text_are_shown_and_not_calculated():
    seen = shown(text_of(everywhere("{{ 7*7 }}")))
    assert "{{ 7*7 }}" in seen
    assert "49" not in part(text_of(everywhere("{{ 7*7 }}")), "Detection")


def test_a_fence_within_an_entry_stays_within_its_entry():
    found = entry(1, Kind.FINDING, june(3, 11), "see\n```\nweight 200\n```\nabove")
    facts = replace(login_outage(), entries=(found,))
    tokens = parsed(part(text_of(facts), "Actions taken"))
    fences = [token for token in tokens if token.type == "fence"]
    assert [token.content for token in fences] == ["weight 200\n"]
    assert all(token.level == 2 for token in fences)


def test_two_thousand_entries_are_all_told():
    entries = tuple(
        entry(n, list(Kind)[n % 13], june(1, 0) + timedelta(minutes=n), f"entry number {n} happened")
        for n in range(1, 2001)
    )
    draft = compile_draft(replace(login_outage(), entries=entries))
    text = render(draft)
    assert draft.entry_count == 2000
    assert all(f"entry number {n} happened" in text for n in (1, 1000, 2000))
