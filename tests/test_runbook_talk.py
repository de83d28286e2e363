"""`lantern runbooks lint | list | show` in a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.__main__ import main
from tests.test_runbooks import GOOD, write

CATALOGUE = (
    "services:\n  login:\n    owner: '@team-identity'\n    balancers:\n"
    "      - {kind: nginx, address: 'file:/var/log/nginx/access.log', backend: be_web, intended: {web1: 1, web2: 1}}\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of runbooks that the settings name, seen from the folder around it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANTERN_RUNBOOKS", "ops/runbooks")
    (tmp_path / "ops").mkdir()
    write(tmp_path / "ops" / "runbooks", GOOD)
    return tmp_path / "ops" / "runbooks"


def test_the_shipped_ones_have_nothing_to_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LANTERN_RUNBOOKS", raising=False)
    assert main(["runbooks", "lint"]) == 0
    assert capsys.readouterr().out == "12 runbooks can be followed, without a fault.\n"


def test_what_is_wrong_is_said_by_file_and_line_errors_first(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, GOOD.replace("lb-good", "lb-a").replace("### 3.", "### 4."), "lb-a.md")
    write(folder, GOOD.replace("lb-good", "lb-b").replace("[SEV1]", "[SEV9]"), "lb-b.md")
    assert main(["runbooks", "lint"]) == 1
    error, warning, last = capsys.readouterr().out.splitlines()
    assert error.startswith("ops/runbooks/lb-b.md:6: `SEV9` is no severity.")
    assert error.endswith("[severity-unknown]")
    assert warning == (
        "ops/runbooks/lb-a.md:63: warning: This is step 3, not 4. Correct the number. [step-number]"
    )
    assert last == "3 runbooks can be followed, 1 error and 1 warning."


@pytest.mark.parametrize("named", ["ops/runbooks", "./ops/runbooks/", "ops/../ops/runbooks"])
def test_a_folder_can_be_named_and_warnings_alone_are_no_failure(
    folder: Path, capsys: pytest.CaptureFixture[str], named: str
) -> None:
    write(folder, GOOD.replace("### 3.", "### 4."))
    assert main(["runbooks", "lint", named]) == 0
    assert capsys.readouterr().out.startswith("ops/runbooks/lb-good.md:63: warning: ")


def test_the_folder_one_stands_in_can_be_named(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, GOOD.replace("### 3.", "### 4."))
    monkeypatch.chdir(folder)
    assert main(["runbooks", "lint", "."]) == 0
    assert main(["runbooks", "lint", "lb-good.md"]) == 0
    assert [line[:16] for line in capsys.readouterr().out.splitlines()[::2]] == ["lb-good.md:63: w"] * 2


def test_a_folder_that_is_not_there_or_empty_is_a_failure(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runbooks", "lint", "ops/runboks"]) == 1
    assert "ops/runboks:1: There is no folder `runboks`" in capsys.readouterr().out
    (folder / "lb-good.md").unlink()
    assert main(["runbooks", "lint"]) == 1
    assert capsys.readouterr().out == "There is no runbook in ops/runbooks: one is a file that ends in .md.\n"
    assert main(["runbooks", "list"]) == 1
    assert "There are no runbooks in ops/runbooks. Set LANTERN_RUNBOOKS" in capsys.readouterr().err


def test_the_list_has_a_line_for_each(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runbooks", "list"]) == 0
    assert capsys.readouterr().out == "lb-good  All is well (3 steps)\n\n1 in ops/runbooks.\n"


def test_one_is_printed_as_people_read_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD.replace("Wait ten", "See [the other](lb-good.md) and [a page](https://example.com), wait ten")
    write(folder, text.replace("\n- **Changes", "\n```sh nginx\nnginx -t\n```\n\n- **Changes"))
    assert main(["runbooks", "show", "LB-Good.md"]) == 0
    told = capsys.readouterr().out
    for words in (
        "All is well\n===========\n\nIt hurts whoever logs in.",
        "owner @infra, escalate to @network, reviewed 2026-11-01",
        "SYMPTOMS\n\n- Logins fail.",
        "CONFIRM\n\n1. Look at the share",
        "Read it: lantern balancer check  (expected: off_target_share < 0.10)",
        "   haproxy:\n      echo \"show stat be_auth 4 -1\" | awk '{ print $1 }'",
        "   If not: go to step 2.",
        "   nginx:\n      nginx -t",
        "   Undo: the old way:\n         undo it",
        "See the other (lantern runbooks show lb-good) and a page <https://example.com>, wait ten minutes.",
    ):
        assert words in told, told
    assert "**" not in told and "```" not in told


def test_a_service_fills_it_and_chooses_the_commands(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    monkeypatch.setenv("LANTERN_CATALOGUE", "catalogue.yaml")
    monkeypatch.delenv("LANTERN_RUNBOOKS")
    assert main(["runbooks", "show", "lb-uneven-traffic", "--service", "Login"]) == 0
    told = capsys.readouterr().out
    assert "/upstream be_web[ {]/" in told
    assert "Read it: lantern balancer check login" in told
    assert "nginx -t && nginx -s reload" in told
    assert "socat" not in told and "(also for haproxy, envoy, aws, kubernetes)" in told
    assert main(["runbooks", "show", "lb-uneven-traffic", "--service", "login", "--balancer", "haproxy"]) == 0
    assert "for s in web1 web2; do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lb-god"], "There is no runbook “lb-god”. Did you mean `lantern runbooks show lb-good`?"),
        (["../../etc/passwd"], "There is no runbook “../../etc/passwd”."),
        (["lb-good", "--balancer", "haprxy"], "“haprxy” is no balancer that runbooks know. There are aws,"),
        (
            ["lb-good", "--service", "login"],
            "There is no catalogue. Name one, LANTERN_CATALOGUE=catalogue.yaml",
        ),
    ],
)
def test_what_is_asked_wrongly_is_answered_with_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main(["runbooks", "show", *words]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err and "Traceback" not in told.err


def test_a_service_that_the_catalogue_has_not_is_said_with_those_it_has(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "catalogue.yaml").write_text(CATALOGUE)
    monkeypatch.setenv("LANTERN_CATALOGUE", "catalogue.yaml")
    assert main(["runbooks", "show", "lb-good", "--service", "basket"]) == 1
    assert "The catalogue has no service “basket”. It has: login." in capsys.readouterr().err
