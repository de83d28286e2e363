"""Whole incidents, typed and clicked by their people, from tests/dialogues/*.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.slack.words import gather_words
from tests.dialogue import Dialogue, lines_of, play
from tests.houses import Town
from tests.rooms import hasty_town

FOLDER = Path(__file__).parent / "dialogues"
FILES = sorted(FOLDER.glob("*.txt"))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with hasty_town(tmp_path) as here:
        yield here


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_people_see_what_the_dialogue_says(file: Path, town: Town) -> None:
    play(file, town)
    if file.stem == "web-stack-outage":
        timeline = town.draft().split("\n## Timeline\n")[1].split("\n### Detection\n")[0]
        days = re.split(r"^### \w+day, ", timeline, flags=re.MULTILINE)[1:]
        assert [day[:12] for day in days] == ["June 3, 2024", "June 4, 2024"]
        for day in days:
            clocks = re.findall(r"^- \*\*(\d\d:\d\d)\*\*", day, flags=re.MULTILINE)
            assert clocks == sorted(clocks) and len(clocks) > 3


def test_every_command_stands_in_a_dialogue() -> None:
    typed = {
        " ".join(line.text.split(": ", 1)[1].split()[:2])
        for file in FILES
        for line in lines_of(file.read_text(encoding="utf-8"))
        if re.match(r"\w+ [#@][\w-]+: /", line.text)
    }
    words = {command.split()[0] for command in typed}
    missing = [
        f"{module.COMMAND} {module.WORD}".strip()
        for module in gather_words().modules
        if f"{module.COMMAND} {module.WORD}".strip() not in (typed | words)
    ]
    assert not missing, f"type these in a dialogue of tests/dialogues: {', '.join(missing)}"


def test_a_line_that_fails_is_named_with_what_came_instead(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "wrong.txt"
    file.write_text("# a comment\nana #general: /incident list\nbot> There is a cat\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"wrong\.txt:3: bot> There is a cat\n.*no open incident"):
        play(file, town)
    with pytest.raises(AssertionError, match="no deed and no expectation"):
        Dialogue(town).run("ana whistles")
