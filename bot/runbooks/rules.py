"""The rules that a runbook file is judged by, and what is told when one is broken.

A fault is never raised: it becomes a Problem with the file, the line and what to write instead, so that one bad file
hides neither its other faults nor the rest of the folder.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field

#: Rule -> what it asks for. Broken, the file has an error: somebody who follows it at night is let down.
ERRORS = {
    "folder-missing": "the folder is there",
    "folder-too-many-files": "the folder holds 1,000 runbooks at most",
    "id-twice": "no two files have the same id",
    "file-outside": "a file is no link to a place outside the folder",
    "file-not-a-file": "a name that ends in .md is a file",
    "file-unreadable": "the bot's user may read the file",
    "file-empty": "the file is not empty",
    "file-too-long": "the file has 256 KB at most",
    "file-not-utf8": "the file is UTF-8 text",
    "file-name": "the file's name holds a-z, 0-9 and - only",
    "invisible-character": "the text holds no control characters, and none that turn the order of reading",
    "headings-too-many": "the file has 200 headings at most",
    "front-matter-missing": "the file begins with front matter",
    "front-matter-open": "the front matter is closed by a line `---`",
    "yaml-broken": "front matter and checks are YAML",
    "yaml-no-keys": "front matter and checks hold keys",
    "yaml-too-long": "front matter and checks have 16 KB at most each",
    "key-missing": "every needed key is there",
    "key-twice": "no key stands twice",
    "key-shape": "a key holds what it should: a line of text, a list of words, or names with values",
    "id-another": "the id is the file's name",
    "severity-unknown": "a severity is SEV1 to SEV4",
    "value-unsafe": "a value that goes into commands holds plain characters only",
    "variable-name": "a variable's name holds letters, digits and _",
    "variable-empty": "a variable has a default",
    "review-day": "`reviewed` is a day",
    "review-to-come": "`reviewed` is not in the future",
    "review-span": "`review_every` is a span of days, weeks or months",
    "title-missing": "there is a `#` title",
    "title-twice": "there is one `#` title only",
    "title-another": "the heading is the front matter's title",
    "summary-missing": "a paragraph stands under the title",
    "section-unknown": "every `##` is one of the known sections",
    "section-twice": "no section stands twice",
    "section-order": "the sections stand in their order",
    "section-empty": "a section that holds steps has one",
    "section-unstepped": "steps stand under `###`",
    "confirm-missing": "there is a `## Confirm`",
    "steps-missing": "there is a step",
    "steps-too-many": "there are 50 steps at most",
    "step-untitled": "a step has a title",
    "step-twice": "no two steps have the same title",
    "step-empty": "a step says something",
    "undo-missing": "a step of Mitigate says how it is undone",
    "field-empty": "a field says something",
    "command-outside": "commands and checks stand in steps",
    "block-open": "a block is closed",
    "block-empty": "a block of commands holds some",
    "balancer-unknown": "the second word of a block of commands is a balancer",
    "checks-two": "a step has one check at most",
    "check-unknown": "a check is one that Lantern knows",
    "check-figure": "a check expects figures that Lantern reads",
    "check-condition": "what a check expects is a condition",
    "check-parameter": "a check's parameter is one plain value",
    "link-address": "a link is an address",
    "link-outside": "a link stays in the folder, or is `https://`",
    "link-anchor": "a link to a heading finds it",
}

#: Rule -> what it asks for. Broken, the file can be followed all the same: a warning.
WARNINGS = {
    "file-foreign": "the file is written for Lantern, not for another library",
    "key-unknown": "the front matter holds known keys only",
    "review-old": "the file was read through within `review_every`",
    "variable-unknown": "every `{{ name }}` is filled by something",
    "variable-broken": "what begins like a variable is one",
    "section-missing": "there are Symptoms, Mitigate and Verify",
    "section-foreign": "sections have this page's names, not those of another library",
    "section-untidy": "all text of a section that has steps stands in one of them",
    "step-number": "the steps are numbered through",
    "changes-unsaid": "a step of Mitigate says whether it changes production",
    "field-unknown": "a bullet that begins with bold words is a known field",
    "block-unnamed": "a block says what it holds",
    "block-words": "nothing stands behind the balancer of a block of commands",
    "shell-name": "a block of commands is `sh`, `bash` or `console`",
    "check-parameter-unknown": "a check's parameter is one that Lantern heeds",
    "link-missing": "a link to another file finds it",
}


#: What is not asked of a file that was written for another library: it never promised any of it.
NOT_ASKED_ELSEWHERE = frozenset(
    {
        "block-unnamed",
        "changes-unsaid",
        "command-outside",
        "field-unknown",
        "file-name",
        "front-matter-missing",
        "key-missing",
        "key-unknown",
        "section-foreign",
        "section-missing",
        "section-order",
        "section-twice",
        "section-unknown",
        "section-unstepped",
        "shell-name",
        "step-number",
        "summary-missing",
        "title-another",
    }
)


@dataclass(frozen=True)
class Problem:
    #: Folder and name, "runbooks/lb-x.md".
    file: str
    #: From 1.
    line: int
    sentence: str
    #: False for a warning.
    is_error: bool = True
    #: Name in ERRORS or WARNINGS; "" for a file that is no runbook.
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.sentence}"


@dataclass
class Faults:
    """The problems of one file, collected while it is read."""

    file: str
    found: list[Problem] = field(default_factory=list)
    #: A file written for another library: its errors are only told as warnings.
    is_foreign: bool = False

    def tell(self, rule: str, line: int, sentence: str) -> None:
        """A rule is broken at this line of the file."""
        assert rule in ERRORS or rule in WARNINGS, rule
        if self.is_foreign and rule in NOT_ASKED_ELSEWHERE:
            return
        is_error = rule in ERRORS and not self.is_foreign
        self.found.append(Problem(self.file, line, sentence, is_error, rule))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """ " Did you mean `weights`?", or all that may be written, when nothing is near."""
    choices = sorted(known)
    near = difflib.get_close_matches(word, choices, n=1)
    return f" Did you mean `{near[0]}`?" if near else f" Write one of {', '.join(choices)}."
