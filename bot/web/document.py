"""What changed between two revisions of a postmortem, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher

from markupsafe import Markup, escape

from bot.domain.merge import alike
from bot.markdown_html import html_of

__all__ = ["LONGEST_SHOWN", "Row", "compared", "cut", "html_of"]

#: Characters of a section that a page shows at first: some 300 entries.
LONGEST_SHOWN = 50_000
_FENCE = re.compile(r" *(`{3,}|~{3,})")
#: Lines around a change that are shown with it.
_AROUND = 3
#: Characters; two longer lines are shown whole, without saying which of their words differ.
_COMPARED = 4000


@dataclass(frozen=True)
class Row:
    """One line of a comparison."""

    #: same, gone, new, or skipped for lines that are left out.
    what: str
    html: Markup


class _Lines(SequenceMatcher[str]):
    """Compares lines as a merge does: of long texts its own way takes the square of their lengths."""

    def __init__(self, former: Sequence[str], later: Sequence[str]) -> None:
        super().__init__(None, former, later)
        self._runs = [*alike(former, later), (len(former), len(later), 0)]

    def get_matching_blocks(self) -> list[Match]:
        return [Match(*run) for run in self._runs]


def cut(text: str, longest: int | None) -> tuple[str, int]:
    """(the beginning of a Markdown text, the number of lines that are left out): cut between two items or paragraphs.

    None for `longest` (characters) cuts nothing.
    """
    if longest is None or len(text) <= longest:
        return text, 0
    lines, fence, length = text.split("\n"), "", 0
    for at, line in enumerate(lines):
        mark = _FENCE.match(line)
        if length > longest and not fence and line[:1].strip():
            return "\n".join(lines[:at]), len(lines) - at
        if mark is not None:
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        length += len(line) + 1
    return text, 0


def compared(former: str, later: str) -> list[Row]:
    """What changed from one text to the other, line by line, with the words that differ marked."""
    old, new = former.splitlines(), later.splitlines()
    rows: list[Row] = []
    for group in _Lines(old, new).get_grouped_opcodes(_AROUND):
        start = group[0][1]
        if start > 0:
            rows.append(Row("skipped", Markup("⋯")))
        for tag, i1, i2, j1, j2 in group:
            rows += _rows(tag, old[i1:i2], new[j1:j2])
    return rows


def _rows(tag: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    if tag == "equal":
        yield from (Row("same", escape(line)) for line in old)
        return
    pairs = [_words(one, other) for one, other in zip(old, new, strict=False)]
    yield from (Row("gone", gone) for gone, _ in pairs)
    yield from (Row("gone", escape(line)) for line in old[len(pairs) :])
    yield from (Row("new", come) for _, come in pairs)
    yield from (Row("new", escape(line)) for line in new[len(pairs) :])


def _words(former: str, later: str) -> tuple[Markup, Markup]:
    if max(len(former), len(later)) > _COMPARED:
        return escape(former), escape(later)
    old, new = re.findall(r"\w+|\s+|[^\w\s]", former), re.findall(r"\w+|\s+|[^\w\s]", later)
    gone, come = Markup(), Markup()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.quick_ratio() < 0.3:
        return escape(former), escape(later)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        before, after = "".join(old[i1:i2]), "".join(new[j1:j2])
        gone += escape(before) if tag == "equal" else Markup("<del>{}</del>").format(before) if before else ""
        come += escape(after) if tag == "equal" else Markup("<ins>{}</ins>").format(after) if after else ""
    return gone, come
