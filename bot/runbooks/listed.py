"""A numbered list as steps: how other libraries write what is done one after another."""

from __future__ import annotations

import re

from bot.runbooks.page import Heading, Page

_TITLE = 80


def listed_steps(page: Page, start: int, end: int) -> list[tuple[Page, Heading, int]]:
    """Each item of a numbered list as a page of its own, its heading and its length in lines; [] without two items.

    What stands before the list goes to the first step, what stands behind an item to that one: nothing is lost.
    """
    spans = [lines for item, lines in page.items(start, end) if _is_numbered(page.lines[lines[0]])]
    if len(spans) < 2:
        return []
    begins = [start, *(first for first, _ in spans[1:]), end]
    steps = []
    for (first, last), begin, stop in zip(spans, begins, begins[1:], strict=False):
        indent = _indent(page.lines[first])
        lines = page.lines[begin:stop]
        for at in range(first - begin, min(last, stop) - begin):
            lines[at] = lines[at][min(indent, len(lines[at]) - len(lines[at].lstrip())) :]
        lines[first - begin] = page.lines[first][indent:]
        own = Page("\n".join(lines), page.file_line(begin))
        steps.append((own, _heading(own, first - begin, page.lines[first][indent:]), len(lines)))
    return steps


def _is_numbered(line: str) -> bool:
    return re.match(r"\s*\d+[.)]\s", line) is not None


def _indent(line: str) -> int:
    found = re.match(r"\s*\d+[.)]\s*", line)
    return found.end() if found else 0


def _heading(page: Page, at: int, written: str) -> Heading:
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", written)
    words = re.sub(r"[*_`]", "", plain).strip()
    title = re.split(r"(?<=[^.])[.:](?:\s|$)", words)[0].strip() or "Step"
    if len(title) > _TITLE:
        title = title[: _TITLE - 1].rsplit(" ", 1)[0] + "…"
    anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
    others = [*page.lines[:at], *page.lines[at + 1 :]]
    is_whole = (
        plain == written and words.rstrip(".:") == title and not "".join(page.lines[at + 1 : at + 2]).strip()
    )
    if is_whole and any(line.strip() for line in others):
        # The line says no more than the title does.
        page.lines[at] = ""
    return Heading(0, title, anchor, at, 0)
