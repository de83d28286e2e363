"""The team's own postmortem template: used when it works, named with its line when it does not."""

from __future__ import annotations

import pytest

from bot.domain.postmortem import compile_draft
from bot.exporters.markdown import builtin_source, load_template, render
from tests.story import login_outage, nothing_known


def test_a_teams_own_template_is_used(tmp_path):
    path = tmp_path / "own.md.j2"
    own = "# {{ draft.title }}\n{% for day in draft.days %}{{ day.title }}\n{% endfor %}"
    path.write_text(own, encoding="utf-8")
    source, problems = load_template(path)
    assert problems == []
    text = render(compile_draft(login_outage()), source)
    assert text == "# Logins fail across the web stack\nMonday, June 3, 2024\nTuesday, June 4, 2024\n"


def test_a_teams_template_may_include_the_built_in_one(tmp_path):
    path = tmp_path / "own.md.j2"
    path.write_text("Confidential.\n\n{% include 'postmortem.md.j2' %}", encoding="utf-8")
    source, problems = load_template(path)
    assert problems == []
    assert render(compile_draft(login_outage()), source).endswith(render(compile_draft(login_outage())))


def test_a_copy_of_the_built_in_template_gives_the_same_document(tmp_path):
    path = tmp_path / "copy.md.j2"
    path.write_text(builtin_source(), encoding="utf-8")
    source, problems = load_template(path)
    assert problems == []
    assert render(compile_draft(login_outage()), source) == render(compile_draft(login_outage()))


@pytest.mark.parametrize(
    ("source", "line", "words"),
    [
        ("one\n{% for x in %}", 2, "Expected an expression"),
        ("one\ntwo\n{{ draft.tittle }}", 3, "tittle"),
        ("{{ nobody }}", 1, "nobody"),
        ("{{ '%0999999999d' % 3 }}", 1, "small numbers only"),
        ("{{ '{:999999999}'.format(1) }}", 1, "`.format` is not for templates"),
        ("{{ draft.__class__.__mro__ }}", 1, "__class__"),
        ("{{ draft.title | nofilter }}", 1, "nofilter"),
        ("\n{% include '/etc/passwd' %}", 2, "/etc/passwd"),
        (
            "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}"
            "{% endfor %}{% endfor %}{% endfor %}",
            1,
            "turns",
        ),
        ("{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}", 1, "never ends"),
        (
            "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(60) }}",
            1,
            "turns",
        ),
        ("{{ 'x' * 1000000000 }}", 1, "small numbers"),
        ("{{ 9 ** 9 ** 9 }}", 1, "small numbers"),
        ("{{ 'x'.ljust(1000000000) }}", 1, "number above"),
        ("{{ 'x' | center(1000000000) }}", 1, "center"),
        ("{{ draft.runs[7].title }}", 1, "7"),
        ("{{ 1 / 0 }}", 1, "zero"),
    ],
)
def test_a_broken_template_is_named_with_its_line_and_the_built_in_one_is_used(tmp_path, source, line, words):
    path = tmp_path / "own.md.j2"
    path.write_text(source, encoding="utf-8")
    used, problems = load_template(path)
    assert used is None
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:{line}: ")
    assert words in problems[0]
    assert problems[0].endswith("The built-in template is used.")


def test_a_template_that_is_missing_or_no_text_is_named(tmp_path):
    assert load_template(None) == (None, [])
    missing = tmp_path / "missing.md.j2"
    assert load_template(missing)[1] == [
        f"{missing}: cannot be read (No such file or directory). The built-in template is used."
    ]
    odd = tmp_path / "odd.md.j2"
    odd.write_bytes(b"one\n\xff\xfe")
    assert load_template(odd)[1] == [f"{odd}:2: is not UTF-8 text. The built-in template is used."]
    large = tmp_path / "large.md.j2"
    large.write_text("x" * 300_000, encoding="utf-8")
    assert "at most 262,144 bytes" in load_template(large)[1][0]


def test_a_very_long_incident_is_never_cut_short_by_the_limits(monkeypatch):
    monkeypatch.setattr("bot.exporters.MAX_TURNS", 50)
    monkeypatch.setattr("bot.exporters.MAX_LENGTH", 500)
    draft = compile_draft(login_outage())
    built_in = render(draft)
    assert built_in.endswith("`/incident follow-up 5 @name by 14 June`.\n")
    assert render(draft, "{% for n in range(99) %}{% endfor %}").endswith(built_in)
    assert "longer than 500 characters" in render(
        draft, "{{ draft.cause.plain }}{% include 'postmortem.md.j2' %}"
    )


def test_a_template_that_fails_on_one_incident_does_not_cost_the_draft():
    draft = compile_draft(nothing_known())
    text = render(draft, "{{ draft.runs[0].title }}")
    assert text.startswith("> The team's postmortem template failed here, so this is the built-in one:")
    assert text.endswith(render(draft))
