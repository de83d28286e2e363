"""Every rule that a runbook is judged by has a fault that breaks it, and each is told by file and line."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from bot.runbooks.reading import FILE_LIMIT, FILES_LIMIT, read_folder, read_runbook
from bot.runbooks.rules import ERRORS, NOT_ASKED_ELSEWHERE, WARNINGS, Problem
from tests.test_runbooks import GOOD, TODAY, line_of, write

FRONT = GOOD[4 : GOOD.index("---\n\n#")]
TWO_CHECKS = "```yaml check\nrun: lb.tls\n```\n\n```yaml check\nrun: lb.traffic_share\n```\n\nWait ten"
MANY_STEPS = "".join(f"### Step {number}\n\nDo it.\n\n" for number in range(60))
LONG = "area: " + "x" * 17_000


class Fault(NamedTuple):
    """A fault put into a good file."""

    rule: str
    #: Text of GOOD, and what stands in its place.
    old: str
    new: str
    #: A piece of the line it is told on, in the broken file.
    where: str
    #: Words of what is told.
    words: str


FAULTS = [
    Fault("front-matter-missing", GOOD[: GOOD.index("# All")], "", "# All is well", "There is no front matter"),
    Fault("front-matter-open", "\n---\n\n# All", "\n\n# All", "---", "never closed"),
    Fault("yaml-no-keys", FRONT, "# nothing\n", "# nothing", "holds no keys"),
    Fault("yaml-no-keys", FRONT, "- a\n", "- a", "holds no keys"),
    Fault("yaml-broken", "owner: ", "owner: @", "owner", "is not YAML"),
    Fault("yaml-broken", "services: [login]", "services: " + "[" * 2000 + "]" * 2000, "id:", "is not YAML"),
    Fault("yaml-too-long", "area: load-balancer", LONG, "id:", "longer than 16 KB"),
    Fault("key-twice", "area: load-balancer", "area: a\narea: b", "area: b", "twice (first in line 4)"),
    Fault("key-missing", "escalate_to: ", "escalate: ", "---", "lacks `escalate_to`. Add `escalate_to:"),
    Fault("key-unknown", "vars:\n  ba", "owners: x\nvars:\n  ba", "owners", "not known. Did you mean `owner`?"),
    Fault("key-unknown", "  alerts:", "  alarms:", "  alarms", "`triggers.alarms` is not known"),
    Fault("key-shape", "words: [uneven traffic, hot server]", "words: {a: b}", "words", "must be a list of words"),
    Fault("key-shape", "area: load-balancer", "area: [a]", "area", "must be one line of text"),
    Fault("key-shape", "vars:\n  backend: be_auth", "vars: [a]", "vars", "must hold one `name: value` a line"),
    Fault("id-another", "id: lb-good", "id: lb-else", "id:", "The id is `lb-else` but the file is `lb-good.md`"),
    Fault("severity-unknown", "[SEV1]", "[SEV9]", "severity", "`SEV9` is no severity"),
    Fault("value-unsafe", "be_auth\nrev", "x; rm -r y\nrev", "backend: x", "value of `backend` may only hold"),
    Fault("value-unsafe", '"@infra"', '"$(id)"', "owner", "value of `owner` may only hold"),
    Fault("variable-name", "  backend: be_auth", "  back-end: be_auth", "  back-end", "cannot be a variable"),
    Fault("variable-empty", "backend: be_auth", "backend:", "backend:", "`backend` has no default"),
    Fault("variable-unknown", "Wait ten", "Ask {{ somebody }}, wait ten", "Ask {{", "Nothing fills `{{ somebody }}`"),
    Fault("variable-broken", "Wait ten", "Ask {{ back-end }}, wait ten", "Ask {{", "`{{ back-end }}` is no variable"),
    Fault("variable-broken", "Wait ten", "Ask {{ backend }, wait ten", "Ask {{", "`{{ backend }` is no variable"),
    Fault("review-day", "2026-11-01", "2026-13-01", "reviewed", "`2026-13-01` is not a day"),
    Fault("review-to-come", "2026-11-01", "2027-01-01", "reviewed", "a day to come"),
    Fault("review-span", "reviewed:", "review_every: often\nreviewed:", "review_every", "not a span of time"),
    Fault("review-old", "2026-11-01", "2026-01-01", "reviewed", "Last reviewed 326 days ago"),
    Fault("title-missing", "# All is well\n", "\n", "\n\n\nIt hurts", "There is no title"),
    Fault("title-twice", "## Links", "# More\n\n## Links", "# More", "second title"),
    Fault("title-another", "# All is well", "# All is bad", "# All is bad", "Write `# All is well`"),
    Fault("summary-missing", "It hurts whoever logs in.\n", "", "# All", "Nothing stands under the title"),
    Fault("section-unknown", "## Verify", "## Verifying", "## Verifying", "Did you mean `Verify`?"),
    Fault("section-foreign", "## Confirm", "## Diagnosis", "## Diagnosis", "is read as Confirm"),
    Fault("section-twice", "## Links", "## Symptoms\n\n- x\n\n## Links", "## Symptoms\n\n- x", "stands here twice"),
    Fault("section-order", "## Links", "## Background\n\nx\n\n## Links", "## Background", "comes too late"),
    Fault("section-unstepped", "### 3. Look again\n", "", "## Verify", "has no steps"),
    Fault("section-empty", "## Links", "## Prevent\n\n## Links", "## Prevent", "`## Prevent` is empty"),
    Fault("section-missing", "## Symptoms\n\n- Logins fail.\n", "", "\n# All", "There is no `## Symptoms`"),
    Fault("section-untidy", "## Verify\n", "## Verify\n\nThen:\n", "## Verify", "belongs to no step: `Then:`"),
    Fault("confirm-missing", "## Confirm", "## Symptoms", "\n# All", "There is no `## Confirm`"),
    Fault("step-untitled", "### 3. Look again", "### 3. <!-- -->", "### 3.", "has no title"),
    Fault("step-number", "### 3.", "### 4.", "### 4.", "This is step 3, not 4"),
    Fault("step-twice", "### 3. Look again", "### 3. Correct it", "### 3.", "Another step is called `Correct it`"),
    Fault("step-empty", "Wait ten minutes.\n", "", "### 3.", "`Look again` says nothing"),
    Fault("steps-too-many", "### 3. Look again", MANY_STEPS + "### 3. Look again", "\n# All", "There are 63 steps"),
    Fault("headings-too-many", "## Links", "## x\n" * 200 + "## Links", "\n# All", "headings, more than 200"),
    Fault("undo-missing", "**Undo:**", "**Undoing:**", "### 2.", "cannot be taken back. Add `- **Undo:** how`"),
    Fault("changes-unsaid", "- **Changes production:** yes.\n", "", "### 2.", "change anything?"),
    Fault("field-empty", " the old way:\n\n  ```sh\n  undo it\n  ```", "", "- **Undo", "`Undo` says nothing"),
    Fault("field-unknown", "Undo:**", "Undo:** x\n- **Nite:**", "- **Nite", "a step. Did you mean `Note`?"),
    Fault("command-outside", "- Logins fail.", "```sh\nx\n```", "```sh\nx", "stands outside a step"),
    Fault("block-open", "Wait ten", "```text\nWait ten", "```text", "never closed"),
    Fault("block-empty", "$ correct it\n", "", "```console", "The block is empty"),
    Fault("block-unnamed", "```console", "```", "```\n$ correct", "has no language"),
    Fault("block-words", "sh haproxy", "sh haproxy now", "```sh haproxy", "`now` after the balancer means nothing"),
    Fault("shell-name", "sh haproxy", "shell haproxy", "```shell", "`shell` is read as `sh`"),
    Fault("balancer-unknown", "sh haproxy", "sh haprxy", "```sh haprxy", "Did you mean `haproxy`?"),
    Fault("balancer-unknown", "  ```sh\n  undo", "  ```sh haprxy\n  undo", "  ```sh haprxy", "no balancer we know"),
    Fault("checks-two", "Wait ten", TWO_CHECKS, "```yaml check\nrun: lb.traffic_share\n```\n\nWait", "two checks"),
    Fault("check-unknown", "lb.traffic_share", "lb.traffic", "run:", "not a check the bot knows"),
    Fault("check-unknown", "run: lb.traffic_share", "run: sh -c id", "run:", "not a check the bot knows"),
    Fault("check-condition", '"< 0.10"', '"small"', "  off_target", "a figure and a condition"),
    Fault("check-condition", "expect:\n  off_target_share: ", "expect: ", "expect:", "a figure and a condition"),
    Fault("check-figure", "off_target_share", "of_target_share", "  of_target", "Did you mean `off_target_share`?"),
    Fault("check-parameter", '"{{ backend }}"\n', "[a, b]\n", "backend: [a", "must be one plain value"),
    Fault("check-parameter", '"{{ backend }}"\n', "x\nwindow: 5 minutes\n", "window", "is no window"),
    Fault("check-parameter-unknown", '"{{ backend }}"\n', "x\nwindows: 20s\n", "windows", "Did you mean `window`?"),
    Fault("link-anchor", "#2-correct-it", "#2-correct", "- **If not", "this file has the anchor `#2-correct`"),
    Fault("link-outside", "https://example.com/page", "/etc/passwd", "- [A page]", "leads out of this folder"),
    Fault("link-address", "https://example.com/page", "x" * 300 + ".md", "- [A page]", "is not an address"),
    Fault("link-missing", "https://example.com/page", "lb-later.md", "- [A page]", "There is no file `lb-later.md`"),
    Fault("invisible-character", "$ correct it", "$ correct \u202eit", "$ correct", "invisible character U+202E"),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{one.rule} {at}" for at, one in enumerate(FAULTS)])
def test_a_seeded_fault_is_told_by_file_and_line(tmp_path: Path, fault: Fault) -> None:
    assert fault.old in GOOD
    text = GOOD.replace(fault.old, fault.new, 1)
    _, problems = read_runbook(write(tmp_path / "runbooks", text), today=TODAY)
    told = [one for one in problems if one.rule == fault.rule and fault.words in one.sentence]
    assert told, [str(one) for one in problems]
    assert str(told[0]).startswith(f"runbooks/lb-good.md:{line_of(text, fault.where)}: ")
    assert told[0].is_error is (fault.rule in ERRORS)


def folder_of(where: Path, **files: str | bytes) -> list[Problem]:
    """A folder with these files read, and what is wrong with it."""
    for name, content in files.items():
        write(where / "runbooks", content, f"{name.replace('_', '-')}.md")
    return read_folder(where / "runbooks", today=TODAY)[1]


def too_many(where: Path) -> list[Problem]:
    return folder_of(where, **{f"lb_{number:04}": "" for number in range(FILES_LIMIT + 1)})


def outside(where: Path) -> list[Problem]:
    secret = write(where / "elsewhere", GOOD, "secret.md")
    (where / "runbooks").mkdir()
    (where / "runbooks" / "lb-good.md").symlink_to(secret)
    return read_folder(where / "runbooks")[1]


def no_file(where: Path) -> list[Problem]:
    (where / "runbooks" / "lb-good.md").mkdir(parents=True)
    return read_folder(where / "runbooks")[1]


def unreadable(where: Path) -> list[Problem]:
    (where / "runbooks").mkdir()
    (where / "runbooks" / "lb-a.md").symlink_to("lb-b.md")
    (where / "runbooks" / "lb-b.md").symlink_to("lb-a.md")
    return read_folder(where / "runbooks")[1]


#: Rule -> a folder with the fault, how the line that tells it begins, and words of it.
FOLDERS = {
    "folder-missing": (lambda at: read_folder(at / "runbooks")[1], "runbooks:1: ", "There is no folder `runbooks`"),
    "folder-too-many-files": (too_many, "runbooks:1: ", "The folder holds 1001 files"),
    "id-twice": (
        lambda at: folder_of(at, lb_good=GOOD, LB_GOOD=GOOD),
        "runbooks/lb-good.md:1: ",
        "Another file has the id `lb-good` already",
    ),
    "file-outside": (outside, "runbooks/lb-good.md:1: ", "a link to a file outside the folder"),
    "file-not-a-file": (no_file, "runbooks/lb-good.md:1: ", "This is not a file"),
    "file-unreadable": (unreadable, "runbooks/lb-a.md:1: ", "The file cannot be read"),
    "file-empty": (lambda at: folder_of(at, lb_good=b" \n\n"), "runbooks/lb-good.md:1: ", "The file is empty"),
    "file-too-long": (
        lambda at: folder_of(at, lb_good=b"x" * (FILE_LIMIT + 1)),
        "runbooks/lb-good.md:1: ",
        "longer than 256 KB",
    ),
    "file-not-utf8": (lambda at: folder_of(at, lb_good=b"one\ntwo\n\xff"), "runbooks/lb-good.md:3: ", "not UTF-8"),
    "file-name": (lambda at: folder_of(at, LbGood=GOOD), "runbooks/LbGood.md:1: ", "People type the file's name"),
    "file-foreign": (
        lambda at: folder_of(at, NodeDown="# NodeDown\n\n## Meaning\n\nIt is.\n\n## Diagnosis\n\nSee.\n"),
        "runbooks/NodeDown.md:1: ",
        "written for another library",
    ),
    "steps-missing": (lambda at: folder_of(at, lb_good="only words"), "runbooks/lb-good.md:1: ", "There are no steps"),
}  # fmt: skip


@pytest.mark.parametrize("rule", FOLDERS)
def test_a_seeded_fault_of_a_folder_is_told_by_file_and_line(tmp_path: Path, rule: str) -> None:
    make, begins, words = FOLDERS[rule]
    told = [one for one in make(tmp_path) if one.rule == rule]
    assert told
    assert str(told[0]).startswith(begins)
    assert words in told[0].sentence
    assert told[0].is_error is (rule in ERRORS)


def test_every_rule_has_its_fault() -> None:
    seeded = {one.rule for one in FAULTS} | FOLDERS.keys()
    assert seeded == ERRORS.keys() | WARNINGS.keys()
    assert not ERRORS.keys() & WARNINGS.keys()
    assert seeded >= NOT_ASKED_ELSEWHERE


def test_a_good_file_breaks_no_rule(tmp_path: Path) -> None:
    assert read_runbook(write(tmp_path / "runbooks", GOOD), today=TODAY)[1] == []
    # Nor does its age, when nobody says which day it is.
    assert read_runbook(write(tmp_path / "runbooks", GOOD.replace("2026-11-01", "2020-01-01")))[1] == []


def test_faults_do_not_hide_each_other(tmp_path: Path) -> None:
    """Twenty faults in one file: all of them are told."""
    text = GOOD
    seeded = []
    for fault in FAULTS:
        if fault.rule in ONE_BY_ONE or text.count(fault.old) != 1 or len(seeded) == 20:
            continue
        seeded.append(fault)
        text = text.replace(fault.old, fault.new)
    _, problems = read_runbook(write(tmp_path / "runbooks", text), today=TODAY)
    missing = [one for one in seeded if not any(one.words in told.sentence for told in problems)]
    assert missing == []
    assert len(seeded) == 20


#: Faults after which a part of the file cannot be read at all.
ONE_BY_ONE = {
    "block-open",
    "confirm-missing",
    "front-matter-missing",
    "front-matter-open",
    "headings-too-many",
    "section-unstepped",
    "steps-too-many",
    "title-missing",
    "yaml-broken",
    "yaml-no-keys",
    "yaml-too-long",
}
