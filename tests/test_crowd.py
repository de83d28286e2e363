"""More at once than can be done: nobody is left without an answer, and nothing is kept behind somebody's back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.standin.model import Json
from bot.standin.person import Person
from bot.web.app import THREADS
from tests.houses import Town, said
from tests.rooms import Room, hasty_town, opened


def blocked(town: Town, room: Room, many: int, seconds: float) -> list[Json]:
    """That many people log while the database is held for so many seconds; their answers."""

    def log(number: int) -> Json:
        # Not as a resident does, who would send it again.
        return Person.types(town.ana, f"/log thing {number:03d}.", room.channel)

    with ThreadPoolExecutor(many) as pool:
        with town.house.db.writing():
            answers = [pool.submit(log, number) for number in range(many)]
            threading.Event().wait(seconds)
        return [answer.result(20) for answer in answers]


@pytest.mark.parametrize("transport", ["http", "socket"])
def test_above_capacity_each_person_is_told_what_was_not_logged(tmp_path: Path, transport: str) -> None:
    with hasty_town(tmp_path, transport) as town:
        room = opened(town)
        many = THREADS * 3
        sentences = [said(answer) for answer in blocked(town, room, many, 1.3)]
        town.settled()
        kept = {entry.text for entry in room.entries}
        for number, sentence in enumerate(sentences):
            text = f"thing {number:03d}."
            if "Logged" in sentence:
                assert text in kept
            else:
                assert "*not*" in sentence and f"/log {text}" in sentence, sentence
                assert text not in kept
        away = [sentence for sentence in sentences if "it was *not* kept" in sentence]
        assert 0 < len(away) < many
        assert "Logged" in said(town.ana.types("/log calm again", room.channel))


def test_a_form_that_came_to_its_turn_too_late_stays_open_with_its_words(tmp_path: Path) -> None:
    with hasty_town(tmp_path, "http") as town:
        room = opened(town)
        town.ana.types("/log", room.channel)
        form = room.form()
        waiting = threading.Thread(target=blocked, args=(town, room, THREADS, 1.4))
        waiting.start()
        threading.Event().wait(0.3)
        answer = town.ana.submits(form, {"What happened?": "typed for a while"})
        waiting.join(20)
        assert "it was not kept" in str(answer)
        assert town.ana.views(), "the form was closed"
        assert not room.told("typed for a while")
