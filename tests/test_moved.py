"""Random turns of what people and facts do to an incident, which moves from database to database meanwhile."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.domain.sections import Section, in_question
from bot.domain.timeline import Kind, Source
from bot.store import incident as incidents
from bot.usecases import archive, followup, incident, postmortem, sections, timeline
from bot.usecases.desk import Desk
from tests import postgres
from tests.conftest import missing
from tests.desks import ANA, closed, desk_on

#: Engines that the incident moves through, again and again; it begins on the last.
ENGINES = ("postgresql", "sqlite")
#: What happens, and how often beside the others. Importing is moving.
DEEDS = ("log", "undo", "edit", "write", "write", "compile", "follow-up", "cause", "decide", "move", "reopen")


class Journey:
    """One closed incident, the desk it lies on now, and every word that a person wrote into its postmortem."""

    def __init__(self, seed: int, folder: Path, stack: ExitStack) -> None:
        self.chance = random.Random(seed)
        self.words: set[str] = set()
        self.moves = 0
        self._folder, self._stack = folder, stack
        self.desk = self._new_desk()
        self.id = closed(self.desk, "logins fail", "one server gets the traffic", cause="the weights")

    def _new_desk(self) -> Desk:
        if ENGINES[self.moves % 2 - 1] == "sqlite":
            return self._stack.enter_context(desk_on(f"sqlite:///{self._folder}/{self.moves}.db"))
        try:
            return self._stack.enter_context(desk_on(postgres.new_database(postgres.shared_cluster())))
        except postgres.NoPostgres as absent:
            missing(f"PostgreSQL is not installed: {absent}.")
            raise AssertionError("unreachable") from absent

    def document(self) -> sections.Document:
        found = sections.document(self.desk, self.id, by=ANA)
        assert found is not None
        return found

    def typed(self) -> list[int]:
        """Numbers of the entries that a person may correct."""
        entries = timeline.list_entries(self.desk, self.id, by=ANA)
        return [one.number for one in entries if one.source is Source.COMMAND]

    # What may happen; `step` makes its words its own

    def log(self, step: int) -> None:
        kind = self.chance.choice(list(Kind))
        timeline.log_entry(self.desk, self.id, f"entry {step}", by=ANA, source=Source.COMMAND, kind=kind)

    def undo(self, _: int) -> None:
        for number in self.typed()[-1:]:
            timeline.undo_entry(self.desk, self.id, number=number, by=ANA)

    def edit(self, step: int) -> None:
        for number in self.typed()[:1]:
            timeline.edit_entry(self.desk, self.id, number, text=f"edited {step}", by=ANA)

    def follow_up(self, step: int) -> None:
        followup.add_follow_up(self.desk, self.id, f"follow-up {step}", by=ANA)

    def cause(self, step: int) -> None:
        incident.set_fact(self.desk, self.id, "cause", f"cause {step}", by=ANA)

    def write(self, step: int) -> None:
        """A line of one's own, now and then in place of a line of the facts."""
        word = f"word{step}"
        section: Section = self.chance.choice(self.document().revision.sections)
        lines = section.text.split("\n")
        at = self.chance.randint(0, len(lines))
        is_over = at < len(lines) and not re.search(r"word\d+", lines[at]) and self.chance.random() < 0.4
        lines[at : at + is_over] = [word]
        sections.edit_section(
            self.desk, self.id, section.key, "\n".join(lines), made_from=section.text, by=ANA
        )
        self.words.add(word)

    def compile(self, _: int) -> None:
        postmortem.compile_postmortem(self.desk, self.id, by=ANA)
        before = self.document().revision
        postmortem.compile_postmortem(self.desk, self.id, by=ANA)
        assert self.document().revision == before

    def decide(self, _: int) -> None:
        for one in in_question(self.document().revision.sections):
            sections.settle_section(self.desk, self.id, one.key, is_human_kept=True, by=ANA)

    def reopen(self, _: int) -> None:
        incident.reopen_incident(self.desk, self.id, by=ANA)
        postmortem.close_incident(self.desk, self.id, postmortem.Closing(), by=ANA)

    def move(self, _: int) -> None:
        """Out of this database, into a new one on the other engine, and out again as the same bytes."""
        self.moves += 1
        out, again = self._folder / f"{self.moves}.zip", self._folder / f"{self.moves}-again.zip"
        archive.export(self.desk, out)
        text = self.document().revision.markdown
        self.desk = self._new_desk()
        (number,) = archive.carry_in(self.desk, out).incidents
        archive.export(self.desk, again)
        assert again.read_bytes() == out.read_bytes()
        with self.desk.db.reading() as session:
            found = incidents.find_by_number(session, number)
        assert found is not None
        self.id = found.id
        assert self.document().revision.markdown == text

    def goes_on(self, step: int) -> None:
        deed: Callable[[int], None] = getattr(self, self.chance.choice(DEEDS).replace("-", "_"))
        deed(step)
        assert self.words <= set(re.findall(r"word\d+", self.document().revision.markdown))


@pytest.mark.parametrize("seed", range(4))
def test_in_whatever_order_things_happen_and_wherever_it_is_moved_no_word_is_lost(
    seed: int, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        journey = Journey(seed, tmp_path, stack)
        for step in range(30):
            journey.goes_on(step)
        journey.move(0)
        journey.compile(0)
        assert journey.words and journey.moves > 1
