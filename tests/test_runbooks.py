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
from bot.runbooks import (
    FILE_LIMIT,
    Problem,
    fill,
    from_dict,
    read_folder,
    read_runbook,
    to_dict,
)

SHIPPED = Path(__file__).parent.parent / "runbooks"
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


@pytest.fixture(scope="module")
def shipped() -> dict[str, Runbook]:
    return read_folder(SHIPPED, today=TODAY)[0]


# What ships


def test_every_shipped_runbook_is_without_fault(shipped: dict[str, Runbook]) -> None:
    # Age depends on the calendar, and is not a fault of a commit.
    _, problems = read_folder(SHIPPED)
    assert [str(problem) for problem in problems] == []
    assert {"lb-uneven-traffic", "lb-servers-parked", "lb-health-check-wrong"} <= shipped.keys()


def test_every_shipped_runbook_can_be_followed_on_each_balancer(shipped: dict[str, Runbook]) -> None:
    for name in ("lb-uneven-traffic", "lb-servers-parked", "lb-health-check-wrong"):
        runbook = shipped[name]
        assert {step.phase for step in runbook.steps} == set(Phase)
        for phase in (Phase.CONFIRM, Phase.MITIGATE):
            told = {one.balancer for step in runbook.steps if step.phase is phase for one in step.commands}
            assert {"haproxy", "nginx", "envoy", "aws", "kubernetes"} <= told, (name, phase)


def test_no_variable_of_a_shipped_command_stays_unfilled(shipped: dict[str, Runbook]) -> None:
    for runbook in shipped.values():
        for step in runbook.steps:
            texts = [command.text for command in step.commands] + [text for _, text in step.fields]
            assert not [text for text in texts if "{{" in fill(text, runbook, {})]


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


TWO_CHECKS = "```yaml check\nrun: lb.tls\n```\n\n```yaml check\nrun: lb.traffic_share\n```\n\nWait ten"
MANY_STEPS = "".join(f"### Step {number}\n\nDo it.\n\n" for number in range(60))

#: What is wrong: text of GOOD, what stands in its place, a piece of the line it is told on, its words.
BROKEN = {
    "no front matter": (GOOD[: GOOD.index("# All")], "", "# All is well", "There is no front matter"),
    "front matter open": ("\n---\n\n# All", "\n\n# All", "---", "never closed"),
    "front matter empty": (GOOD[4 : GOOD.index("---\n\n#")], "# nothing\n", "# nothing", "holds no keys"),
    "YAML broken": ("owner: ", "owner: @", "owner", "is not YAML"),
    "YAML a list": (GOOD[4 : GOOD.index("---\n\n#")], "- a\n", "- a", "holds no keys"),
    "YAML nested for ever": ("services: [login]", "services: " + "[" * 2000 + "]" * 2000, "id:", "is not YAML"),
    "key twice": ("area: load-balancer", "area: a\narea: b", "area: b", "`area` stands here twice (first in line 4)"),
    "key missing": ("escalate_to: ", "escalate: ", "---", "lacks `escalate_to`. Add `escalate_to:"),
    "key unknown": ("vars:\n  ba", "owners: x\nvars:\n  ba", "owners", "not known. Did you mean `owner`?"),
    "id of another file": ("id: lb-good", "id: lb-else", "id:", "The id is `lb-else` but the file is `lb-good.md`"),
    "severity unknown": ("[SEV1]", "[SEV9]", "severity", "`SEV9` is no severity"),
    "words not a list": ("words: [uneven traffic, hot server]", "words: {a: b}", "words", "must be a list of words"),
    "variable with a command": ("be_auth\nrev", "x; rm -r y\nrev", "backend: x", "value of `backend` may only hold"),
    "variable empty": ("backend: be_auth", "backend:", "backend:", "`backend` has no default"),
    "review not a day": ("2026-11-01", "2026-13-01", "reviewed", "`2026-13-01` is not a day"),
    "review to come": ("2026-11-01", "2027-01-01", "reviewed", "a day to come"),
    "review every so often": ("reviewed:", "review_every: often\nreviewed:", "review_every", "not a span of time"),
    "title missing": ("# All is well\n", "\n", "\n\n\nIt hurts", "There is no title"),
    "title another": ("# All is well", "# All is bad", "# All is bad", "Write `# All is well`"),
    "summary missing": ("It hurts whoever logs in.\n", "", "# All", "Nothing stands under the title"),
    "section unknown": ("## Verify", "## Verifying", "## Verifying", "section of a runbook. Did you mean `Verify`?"),
    "section too late": ("## Links", "## Symptoms\n\n- x\n\n## Links", "## Symptoms\n\n- x", "stands here twice"),
    "sections out of order": ("## Links", "## Background\n\nx\n\n## Links", "## Background", "comes too late"),
    "section without a step": ("### 3. Look again\n", "", "## Verify", "has no steps"),
    "Confirm missing": ("## Confirm", "## Symptoms", "\n# All", "There is no `## Confirm`"),
    "no Undo": ("**Undo:**", "**Undoing:**", "### 2.", "`Correct it` cannot be taken back. Add `- **Undo:** how`"),
    "Undo empty": (" the old way:\n\n  ```sh\n  undo it\n  ```", "", "- **Undo", "`Undo` says nothing"),
    "command outside a step": ("- Logins fail.", "```sh\nx\n```", "```sh\nx", "stands outside a step"),
    "block open": ("Wait ten", "```text\nWait ten", "```text", "never closed"),
    "balancer unknown": ("sh haproxy", "sh haprxy", "```sh haprxy", "no balancer we know. Did you mean `haproxy`?"),
    "command empty": ("$ correct it\n", "", "```console", "The block is empty"),
    "check unknown": ("lb.traffic_share", "lb.traffic", "run:", "not a check the bot knows"),
    "check runs a command": ("run: lb.traffic_share", "run: sh -c id", "run:", "not a check the bot knows"),
    "check condition": ('"< 0.10"', '"small"', "expect:", "a figure and a condition"),
    "check parameter": ('"{{ backend }}"\n', "[a, b]\n", "backend: [a", "must be one plain value"),
    "two checks": ("Wait ten", TWO_CHECKS, "```yaml check\nrun: lb.traffic_share\n```\n\nWait", "two checks"),
    "anchor dead": ("#2-correct-it", "#2-correct", "- **If not", "No heading of this file has the anchor `#2-correct`"),
    "link out of the folder": ("https://example.com/page", "/etc/passwd", "- [A page]", "leads out of this folder"),
    "same step twice": ("### 3. Look again", "### 3. Correct it", "### 3.", "Another step is called `Correct it`"),
    "step says nothing": ("Wait ten minutes.\n", "", "### 3.", "`Look again` says nothing"),
    "invisible character": ("$ correct it", "$ correct \u202eit", "$ correct", "invisible character U+202E"),
    "too many steps": ("### 3. Look again", MANY_STEPS + "### 3. Look again", "\n# All", "There are 63 steps"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_told_by_file_and_line(
    tmp_path: Path, old: str, new: str, where: str, words: str
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1)
    _, problems = read_runbook(write(tmp_path / "runbooks", text), today=TODAY)
    told = [problem for problem in problems if words in problem.sentence]
    assert told, [str(problem) for problem in problems]
    assert told[0].file == "runbooks/lb-good.md"
    line = line_of(text, where)
    assert str(told[0]).startswith(f"runbooks/lb-good.md:{line}: ")


def test_what_is_only_untidy_is_a_warning(tmp_path: Path) -> None:
    text = (
        GOOD.replace("2026-11-01", "2026-01-01")
        .replace("### 3.", "### 4.")
        .replace("sh haproxy", "shell haproxy")
    )
    text = text.replace("Wait ten", "Ask {{ somebody }}, see [more](lb-later.md), wait ten").replace(
        "Undo:**", "Undo:** x\n- **Nite:**"
    )
    runbook, problems = read_runbook(write(tmp_path / "runbooks", text), today=TODAY)
    assert runbook is not None
    assert [problem for problem in problems if problem.is_error] == []
    said = "\n".join(problem.sentence for problem in problems)
    for words in (
        "Last reviewed 326 days ago",
        "This is step 3, not 4",
        "`shell` is read as `sh`",
        "Nothing fills `{{ somebody }}`",
        "There is no file `lb-later.md`",
        "`Nite` is not a field of a step. Did you mean `Note`?",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"", 1, "The file is empty"),
        (b" \n\n", 1, "The file is empty"),
        (b"one\ntwo\n\xff\xfe", 3, "not UTF-8"),
        (b"x" * (FILE_LIMIT + 1), 1, "longer than 256 KB"),
        (b"### again\n" * 20_000, 1, "There are 20000 headings, more than 200"),
        (b"only words", 1, "There are no steps"),
    ],
    ids=["empty", "blank", "not UTF-8", "too long", "too many headings", "no steps"],
)
def test_what_cannot_be_followed_is_told_and_not_given(
    tmp_path: Path, content: bytes, line: int, words: str
) -> None:
    runbook, problems = read_runbook(write(tmp_path / "runbooks", content))
    assert runbook is None
    assert [problem.line for problem in problems if words in problem.sentence] == [line]


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


def test_two_names_that_differ_in_case_are_one_id(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    write(folder, GOOD)
    write(folder, GOOD, "LB-GOOD.md")
    if len(list(folder.iterdir())) == 1:
        pytest.skip("this file system folds case")
    runbooks, problems = read_folder(folder)
    assert list(runbooks) == ["lb-good"]
    assert any("Another file has the id `lb-good` already" in problem.sentence for problem in problems)


def test_only_a_thousand_files_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    for number in range(1001):
        write(folder, "", f"lb-{number:04}.md")
    _, problems = read_folder(folder)
    assert str(problems[0]).startswith("runbooks:1: The folder holds 1001 files")
    assert len(problems) == 1001


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    runbooks, problems = read_folder(tmp_path / "runbooks")
    assert runbooks == {}
    assert "There is no folder `runbooks`" in problems[0].sentence


def test_an_anchor_in_another_file_must_exist(tmp_path: Path) -> None:
    folder = tmp_path / "runbooks"
    write(folder, GOOD)
    linked = GOOD.replace("lb-good", "lb-other").replace("https://example.com/page", "lb-good.md#{}")
    write(folder, linked.replace("{}", "1-look-at-the-share"), "lb-other.md")
    assert read_folder(folder)[1] == []
    path = write(folder, linked.replace("{}", "1-look-away"), "lb-other.md")
    assert "No heading of `lb-good.md` has the anchor `#1-look-away`" in read_runbook(path)[1][0].sentence


def test_a_runbook_of_another_library_is_read_with_warnings_only(tmp_path: Path) -> None:
    text = "# KubePodNotReady\n\n## Meaning\n\nA pod waits.\n\n## Impact\n\nLess capacity.\n\n"
    text += "## Diagnosis\n\nSee the events.\n\n```shell\nkubectl get events\n```\n\n## Mitigation\n\n- Roll back.\n"
    runbook, problems = read_runbook(write(tmp_path / "runbooks", text, "KubePodNotReady.md"), today=TODAY)
    assert runbook is not None
    assert (runbook.id, runbook.title) == ("kubepodnotready", "KubePodNotReady")
    assert runbook.background == "A pod waits.\n\nLess capacity."
    assert [(step.title, step.phase) for step in runbook.steps] == [
        ("Diagnosis", Phase.CONFIRM),
        ("Mitigation", Phase.MITIGATE),
    ]
    assert runbook.steps[0].commands[0].text == "kubectl get events"
    assert problems
    assert not [problem for problem in problems if problem.is_error]


PIECES = st.sampled_from(
    [*GOOD.split("\n"), "```", "---", "## Verify", "- **Undo:**", "{{ x }}", "[a](b.md)", "> - 1.", "\t"]
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


def test_a_frozen_runbook_comes_back_the_same_from_json(shipped: dict[str, Runbook]) -> None:
    for runbook in shipped.values():
        assert from_dict(json.loads(json.dumps(to_dict(runbook)))) == runbook


def test_a_snapshot_of_an_older_or_newer_version_is_still_read(tmp_path: Path) -> None:
    frozen = to_dict(read_good(tmp_path / "runbooks"))
    del frozen["background"], frozen["review_every"]
    frozen["invented_later"] = [1]
    assert from_dict(frozen).title == "All is well"


def test_a_problem_reads_as_editors_expect() -> None:
    assert str(Problem("runbooks/lb-x.md", 12, "It is wrong.")) == "runbooks/lb-x.md:12: It is wrong."
