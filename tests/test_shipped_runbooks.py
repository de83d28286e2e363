"""The twelve runbooks that ship: whole, without fault, each step with its way back."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest

from bot.domain.findings import RUNBOOK_OF
from bot.domain.runbook import Phase, Runbook, Step
from bot.runbooks.filling import field_for, fill
from bot.runbooks.frozen import from_dict, to_dict
from bot.runbooks.reading import read_folder
from bot.runbooks.steps import BALANCERS
from bot.settings import shipped

TWELVE = {
    "lb-bad-backend",
    "lb-config-not-applied",
    "lb-frontend-full",
    "lb-health-check-wrong",
    "lb-pinned-clients",
    "lb-queue-server-limit",
    "lb-servers-parked",
    "lb-slow-backend",
    "lb-timeouts",
    "lb-tls-expired",
    "lb-uneven-traffic",
    "lb-zone-imbalance",
}
FIVE = {"haproxy", "nginx", "envoy", "aws", "kubernetes"}
#: HAProxy and nginx know no zones: several of them are balanced by DNS.
NOT_THERE = {("lb-zone-imbalance", Phase.MITIGATE): {"haproxy", "nginx"}}
#: Commands of Mitigate that change nothing, or that nothing can take back; their Undo says so in words.
WITHOUT_UNDO = {
    ("lb-config-not-applied", 3): {"haproxy", "nginx", "envoy", "kubernetes"},
    ("lb-config-not-applied", 4): {"aws"},
    ("lb-config-not-applied", 5): {"haproxy", "nginx"},
    ("lb-pinned-clients", 5): {"haproxy"},
    ("lb-timeouts", 5): {"aws"},
    ("lb-tls-expired", 3): {"haproxy", "nginx", "envoy", "kubernetes"},
    ("lb-zone-imbalance", 3): {"aws"},
}


@cache
def library() -> dict[str, Runbook]:
    return read_folder(shipped("runbooks"))[0]


def test_there_are_twelve_and_none_has_a_fault() -> None:
    # Age depends on the calendar, and is not a fault of a commit.
    found, problems = read_folder(shipped("runbooks"))
    assert [str(problem) for problem in problems] == []
    assert set(found) == TWELVE


def test_every_finding_names_one_that_there_is() -> None:
    assert set(RUNBOOK_OF.values()) <= TWELVE


@pytest.mark.parametrize("name", sorted(TWELVE))
def test_each_can_be_followed_on_every_balancer_it_applies_to(name: str) -> None:
    book = library()[name]
    assert {step.phase for step in book.steps} == set(Phase)
    assert len(book.symptoms) >= 3
    assert len(book.words) >= 5 and book.alerts and book.links
    for phase in (Phase.CONFIRM, Phase.MITIGATE):
        told = {one.balancer for step in book.steps if step.phase is phase for one in step.commands}
        assert told - {""} == FIVE - NOT_THERE.get((name, phase), set()), phase
    checks = [step for step in book.steps if step.check]
    assert {step.phase for step in checks} >= {Phase.CONFIRM, Phase.VERIFY}
    assert all(step.check and step.check.expect for step in checks)


def has_undo(step: Step, kind: str) -> bool:
    told = field_for(dict(step.fields)["Undo"], kind)
    return bool(re.search(rf"^```sh {kind}\n", told, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(TWELVE))
def test_every_step_that_changes_something_has_its_way_back(name: str) -> None:
    for number, step in enumerate(library()[name].steps, 1):
        if step.phase is not Phase.MITIGATE:
            continue
        assert dict(step.fields)["Changes production"].startswith("yes")
        kinds = {one.balancer for one in step.commands} & BALANCERS
        missing = {kind for kind in kinds if not has_undo(step, kind)}
        assert missing == WITHOUT_UNDO.get((name, number), set()), number


def test_no_variable_of_a_command_stays_unfilled() -> None:
    for book in library().values():
        for step in book.steps:
            texts = [
                step.prose,
                *(command.text for command in step.commands),
                *(text for _, text in step.fields),
            ]
            assert not [text for text in texts if "{{" in fill(text, book, {})]


def test_no_command_writes_over_the_way_back() -> None:
    """Whatever edits a file keeps it first; whatever asks for a person's judgement does not answer for them."""
    for book in library().values():
        for step in book.steps:
            for command in step.commands:
                lines = command.text.split("\n")
                edits = [at for at, line in enumerate(lines) if line.startswith('"${EDITOR:-vi}"')]
                for at in edits:
                    edited = lines[at].split()[1]
                    assert any(edited in line for line in lines[:at]), command.text
                assert "sudo" not in command.text and "rm -" not in command.text


def test_a_frozen_runbook_comes_back_the_same_from_json() -> None:
    for runbook in library().values():
        assert from_dict(json.loads(json.dumps(to_dict(runbook)))) == runbook
