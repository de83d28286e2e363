"""docs/runbooks.md says what the reader of runbooks does: its example lints clean, its lists are whole."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from bot.domain.figures import NAMED
from bot.domain.runbook import CHECKS, Phase
from bot.domain.variables import FROM_THE_CATALOGUE, FROM_THE_INCIDENT
from bot.runbooks import front, lint, page, reading, rules, steps
from bot.runbooks.filling import fill

DOC = (Path(__file__).resolve().parent.parent / "docs" / "runbooks.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_is_a_runbook_without_faults(tmp_path: Path) -> None:
    example = re.search(r"````markdown\n(.*?)````", DOC, re.DOTALL)
    assert example is not None
    (tmp_path / "cache-cold.md").write_text(example[1], encoding="utf-8")
    found, problems = reading.read_folder(tmp_path, today=date(2026, 11, 30))
    assert problems == []
    read = found["cache-cold"].steps
    assert [step.phase for step in read] == [Phase.CONFIRM, Phase.MITIGATE, Phase.VERIFY]
    assert [name for name, _ in read[1].fields] == ["Changes production", "Undo"]
    assert read[1].commands[0].balancer == "haproxy"
    assert "cache1" in fill(read[0].commands[0].text, found["cache-cold"], {})


def test_the_page_names_every_key_section_field_and_balancer() -> None:
    rest = DOC.replace("\n", " ")
    for key in front.KEYS:
        assert f"`{key}`" in rest, key
    for word in (*page.SECTIONS, *steps.FIELDS):
        assert re.search(rf"\b{word}\b", rest), word
    for word in (*steps.BALANCERS, *FROM_THE_INCIDENT, *FROM_THE_CATALOGUE):
        assert f"`{word}`" in rest, word
    for check in re.findall(r"`(lb\.\w+)`", rest):
        assert check in CHECKS
    for limit in (
        f"{reading.FILE_LIMIT // 1024} KB",
        f"{reading.STEPS_LIMIT} steps",
        f"{reading.FILES_LIMIT:,} files",
    ):
        assert limit in rest


def test_the_page_lists_every_rule_with_what_it_asks_for() -> None:
    for what, told in (("error", rules.ERRORS), ("warning", rules.WARNINGS)):
        for rule, asks in told.items():
            assert f"| `{rule}` | {what} | {asks} |" in DOC, rule


def test_the_page_names_every_figure_and_parameter_of_a_check() -> None:
    for figure, what in NAMED.items():
        assert f"| `{figure}` | {what} |" in DOC, figure
    for name in lint.PARAMETERS:
        assert f"`{name}`" in DOC
