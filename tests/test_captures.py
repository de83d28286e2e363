"""The verdict on what real balancers answered, healthy and broken (tests/captures): the right cause, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.__main__ import main
from bot.balancers.kinds import gather_kinds
from bot.domain.findings import Cause, Culprit
from bot.domain.verdict import Verdict, judge
from tests.captures import CASES, HERE, Case

#: Worth knowing, while nobody suffers: Envoy panics and sends to everybody; nginx leaves out one of four.
HARMLESS = {"envoy-check-path-panic", "nginx-closed-port"}


def verdict(case: Case) -> Verdict:
    before, after, balancer = case.kept()
    return judge(gather_kinds()[case.kind].picture(before, after, balancer))


def named(case: Case) -> str:
    return f"{case.kind}-{case.name}"


def test_every_folder_is_a_case_and_every_case_has_its_folder() -> None:
    folders = {path.parent.relative_to(HERE).as_posix() for path in HERE.rglob("about.json")}
    assert folders == {f"{case.kind}/{case.name}" for case in CASES}


@pytest.mark.parametrize("case", [case for case in CASES if case.cause], ids=named)
def test_a_fault_is_named(case: Case) -> None:
    told = verdict(case)
    assert told.findings, told.sentence
    assert told.findings[0].cause is case.cause, told.sentence
    assert told.is_bad == (named(case) not in HARMLESS), told.sentence
    is_behind = case.name.startswith(("application", "slow")) or named(case) in HARMLESS
    assert (told.culprit is not Culprit.BALANCER) == is_behind, told.sentence


@pytest.mark.parametrize("case", [case for case in CASES if not case.cause], ids=named)
def test_a_healthy_balancer_is_not_accused(case: Case) -> None:
    told = verdict(case)
    assert told.findings == (), told.sentence
    assert told.sentence.endswith("the balancer is not the cause; look at the application.")


@pytest.mark.parametrize("kind", ["haproxy", "nginx", "envoy", "traefik", "caddy"])
def test_saved_answers_are_judged_at_the_command_line(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    case = next(one for one in CASES if one.kind == kind and one.cause is Cause.WEIGHTS)
    files = {when: sorted(map(str, case.folder.glob(f"*.{when}.txt"))) for when in ("before", "after")}
    _, _, balancer = case.kept()
    words = [f"{name}={address}" for name, address in balancer.addresses.items()]
    named_too = ["--address", *words] if words else []
    asked = ["balancer", "judge", "--before", *files["before"], "--after", *files["after"]]
    assert main([*asked, "--backend", balancer.backend, *named_too]) == 1
    assert capsys.readouterr().out.startswith("auth1 gets 8")


def test_captures_hold_nothing_of_the_machine_they_were_made_on() -> None:
    for path in HERE.rglob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "/tmp" not in text and "/home" not in text, path
        assert not any(word in text for word in (Path.home().name + "@", "command_line_options")), path
