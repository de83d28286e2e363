"""docs/runbooks.md says what the reader of runbooks does: its example lints clean, its lists are whole."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from bot import runbook_lint, runbook_page, runbooks
from bot.domain.runbook import CHECKS, Phase

DOC = (Path(__file__).resolve().parent.parent / "docs" / "runbooks.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_is_a_runbook_without_faults(tmp_path: Path) -> None:
    example = re.search(r"````markdown\n(.*?)````", DOC, re.DOTALL)
    assert example is not None
    (tmp_path / "cache-cold.md").write_text(example[1], encoding="utf-8")
    found, problems = runbooks.read_folder(tmp_path, today=date(2026, 11, 30))
    assert problems == []
    steps = found["cache-cold"].steps
    assert [step.phase for step in steps] == [Phase.CONFIRM, Phase.MITIGATE, Phase.VERIFY]
    assert [name for name, _ in steps[1].fields] == ["Changes production", "Undo"]
    assert steps[1].commands[0].balancer == "haproxy"
    assert "cache1" in runbooks.fill(steps[0].commands[0].text, found["cache-cold"], {})


def test_the_page_names_every_key_section_field_and_balancer() -> None:
    rest = DOC.replace("\n", " ")
    for key in runbook_lint._KEYS:
        assert f"`{key}`" in rest, key
    for word in (*runbook_page.SECTIONS, *runbook_page.FIELDS):
        assert re.search(rf"\b{word}\b", rest), word
    for word in (*runbook_page.BALANCERS, *runbook_lint.FROM_THE_INCIDENT):
        assert f"`{word}`" in rest, word
    for check in re.findall(r"`(lb\.\w+)`", rest):
        assert check in CHECKS
    for limit in (
        f"{runbooks.FILE_LIMIT // 1024} KB",
        f"{runbooks.STEPS_LIMIT} steps",
        f"{runbooks.FILES_LIMIT:,} files",
    ):
        assert limit in rest
