from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.refusals import Refusal
from bot.domain.runbook import Check, Phase, Runbook
from bot.runbooks.filling import fill
from bot.runbooks.frozen import from_dict, to_dict
from bot.runbooks.reading import read_folder, read_runbook
from bot.runbooks.rules import Problem

TODAY = date(2026, 11, 23)

GOOD = """\
---
id: lb-good
title: All is well
area: load-balancer
services: [login]
severity: [SEV1]
owner: "@infra"
escalate_to: "@network"
triggers:
  words: [uneven traffic, hot server]
  alerts: [TrafficSkew]
vars:
  backend: be_auth
reviewed: 2026-11-01
---

# All is well

It hurts whoever logs in.

## Symptoms

- Logins fail.

## Confirm

### 1. Look at the share

Look *closely*.

```yaml check
run: lb.traffic_share
backend: "{{ backend }}"
expect:
  off_target_share: "< 0.10"
```

```sh haproxy
echo "show stat {{ backend }} 4 -1" | awk '{ print $1 }'
```

- **Expect:** even shares,
  all of them.
- **If not:** go to [2](#2-correct-it).

## Mitigate

### 2. Correct it

```console
$ correct it
```

- **Changes production:** yes.
- **Undo:** the old way:

  ```sh
  undo it
  ```

## Verify

### 3. Look again

Wait ten minutes.

## Links

- [A page](https://example.com/page)
"""


def write(folder: Path, text: str | bytes, name: str = "lb-good.md") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def line_of(text: str, piece: str) -> int:
    return text[: text.index(piece)].count("\n") + 1


def read_good(folder: Path) -> Runbook:
    runbook, problems = read_runbook(write(folder, GOOD), today=TODAY)
    assert runbook is not None
    assert problems == []
    return runbook


# Reading


def test_a_good_file_is_read_whole(tmp_path: Path) -> None:
    runbook = read_good(tmp_path / "runbooks")
    assert (runbook.id, runbook.title, runbook.summary) == (
        "lb-good",
        "All is well",
        "It hurts whoever logs in.",
    )
    assert runbook.symptoms == ("Logins fail.",)
    assert runbook.links == ("[A page](https://example.com/page)",)
    assert runbook.variables == {"backend": "be_auth"}
    assert (runbook.words, runbook.alerts) == (("uneven traffic", "hot server"), ("TrafficSkew",))
    assert runbook.reviewed_on == date(2026, 11, 1)
    look, correct, again = runbook.steps
    assert (look.id, look.title, look.phase) == ("look-at-the-share", "Look at the share", Phase.CONFIRM)
    assert look.prose == "Look *closely*."
    assert look.check == Check(
        "lb.traffic_share", {"backend": "{{ backend }}"}, {"off_target_share": "< 0.10"}
    )
    assert [(one.language, one.balancer) for one in look.commands] == [("sh", "haproxy")]
    assert look.commands[0].text == "echo \"show stat {{ backend }} 4 -1\" | awk '{ print $1 }'"
    assert look.fields == (("Expect", "even shares,\nall of them."), ("If not", "go to [2](#2-correct-it)."))
    assert correct.phase is Phase.MITIGATE
    assert again.prose == "Wait ten minutes."


def test_the_way_back_is_never_listed_among_the_commands_that_mitigate(tmp_path: Path) -> None:
    correct = read_good(tmp_path / "runbooks").steps[1]
    assert [one.text for one in correct.commands] == ["$ correct it"]
    assert dict(correct.fields)["Undo"] == "the old way:\n\n```sh\nundo it\n```"


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(tmp_path: Path) -> None:
    plain = read_good(tmp_path / "runbooks")
    windows = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    runbook, problems = read_runbook(write(tmp_path / "runbooks", windows), today=TODAY)
    assert problems == []
    assert runbook is not None
    assert (runbook.steps, runbook.variables) == (plain.steps, plain.variables)


def test_headings_inside_a_block_are_not_steps(tmp_path: Path) -> None:
    text = GOOD.replace("$ correct it", "# not a title\n### not a step")
    runbook, problems = read_runbook(write(tmp_path / "runbooks", text))
    assert problems == []
    assert runbook is not None
    assert [step.title for step in runbook.steps] == ["Look at the share", "Correct it", "Look again"]


def test_a_bad_file_hides_neither_the_rest_nor_itself(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    write(folder, GOOD)
    write(folder, b"\xff", "lb-bad.md")
    write(folder, "no runbook", "README.md")
    (folder / "lb-folder.md").mkdir()
    runbooks, problems = read_folder(folder)
    assert list(runbooks) == ["lb-good"]
    assert sorted({problem.file for problem in problems}) == ["runbooks/lb-bad.md", "runbooks/lb-folder.md"]


def test_a_hundred_problems_of_a_file_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    text = GOOD.replace("Wait ten minutes.", "- **Nite:** x\n" * 150).replace("[SEV1]", "[SEV9]")
    _, problems = read_runbook(write(tmp_path / "runbooks", text))
    assert len(problems) == 101
    assert problems[-1].sentence == "There are 51 problems more. Correct these first."
    assert "`SEV9` is no severity" in problems[0].sentence


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    secret = write(tmp_path / "elsewhere", GOOD, "secret.md")
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "lb-good.md").symlink_to(secret)
    (folder / "lb-gone.md").symlink_to(folder / "nowhere.md")
    runbooks, problems = read_folder(folder)
    assert runbooks == {}
    assert [problem.sentence.split(".")[0] for problem in problems] == [
        "This is not a file",
        "This is a link to a file outside the folder and is not read",
    ]


def test_a_pipe_in_the_folder_does_not_hang_the_reading(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lb-pipe.md")
    assert read_runbook(tmp_path / "lb-pipe.md")[0] is None


def test_an_anchor_in_another_file_must_exist(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    write(folder, GOOD)
    linked = GOOD.replace("lb-good", "lb-other").replace("https://example.com/page", "lb-good.md#{}")
    write(folder, linked.replace("{}", "1-look-at-the-share"), "lb-other.md")
    assert read_folder(folder)[1] == []
    path = write(folder, linked.replace("{}", "1-look-away"), "lb-other.md")
    assert "No heading of `lb-good.md` has the anchor `#1-look-away`" in read_runbook(path)[1][0].sentence


PIECES = st.sampled_from(
    [
        *GOOD.split("\n"),
        *("## Verify", "- **Undo:**", "{{ x }}", "[a](b.md)", "> - 1.", "\t", "```", "---"),
        *("## Diagnosis", "1. [x][1]", "2. y", "[1]: z"),
    ]
)


@settings(deadline=None, max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=300), st.lists(PIECES, max_size=60).map(lambda lines: "\n".join(lines).encode())
    )
)
def test_no_content_whatever_raises(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = write(tmp_path_factory.getbasetemp() / "any", content)
    runbook, problems = read_runbook(path, today=TODAY)
    assert runbook is not None or problems
    for problem in problems:
        assert problem.line >= 1
        assert problem.sentence.endswith((".", "?"))
    if runbook:
        assert from_dict(json.loads(json.dumps(to_dict(runbook)))) == runbook


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=200))
def test_no_front_matter_raises(tmp_path_factory: pytest.TempPathFactory, written: str) -> None:
    text = GOOD.replace("area: load-balancer", written, 1).encode("utf-8", "replace")
    runbook, problems = read_runbook(write(tmp_path_factory.getbasetemp() / "front", text))
    assert runbook is not None or problems


# Filling


def test_known_variables_are_filled_and_others_left_alone(tmp_path: Path) -> None:
    runbook = read_good(tmp_path / "runbooks")
    text = "{{ backend }} {{owner}} {{ service }} {{ nobody }} {{ .Values.x }} awk '{{print}}'"
    assert fill(text, runbook, {"service": "login"}) == (
        "be_auth @infra login {{ nobody }} {{ .Values.x }} awk '{{print}}'"
    )
    assert fill("{{ backend }}", runbook, {"backend": "be_pay"}) == "be_pay"


@pytest.mark.parametrize("value", ["x; rm -r y", "$(id)", "a`id`", "a\nb", "x\n", "'", "a|b", "x" * 121])
def test_a_value_that_could_change_a_command_is_refused(tmp_path: Path, value: str) -> None:
    runbook = read_good(tmp_path / "runbooks")
    with pytest.raises(Refusal, match="value of `service`"):
        fill("curl {{ service }}", runbook, {"service": value})
    assert fill("no variable", runbook, {"service": value}) == "no variable"


# Freezing


def test_a_snapshot_of_an_older_or_newer_version_is_still_read(tmp_path: Path) -> None:
    frozen = to_dict(read_good(tmp_path / "runbooks"))
    del frozen["background"], frozen["review_every"]
    frozen["invented_later"] = [1]
    assert from_dict(frozen).title == "All is well"


def test_a_problem_reads_as_editors_expect() -> None:
    assert str(Problem("runbooks/lb-x.md", 12, "It is wrong.")) == "runbooks/lb-x.md:12: It is wrong."
