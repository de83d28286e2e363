"""Bringing two changes of one text together, line by line, so that no line of either is lost.

The three-way merge of Khanna, Kunal and Pierce, "A Formal Investigation of Diff3" (2007): where only one side differs
from the common ancestor it wins, where both differ the same way there is nothing to decide, and else nobody may decide
but a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher


def merged(base: str, mine: str, theirs: str) -> str | None:
    """The text with both changes; None when the same place was changed in two ways."""
    if mine == theirs or theirs == base:
        return mine
    if mine == base:
        return theirs
    lines = tuple(text.splitlines(keepends=True) for text in (_ended(base), _ended(mine), _ended(theirs)))
    kept: list[str] = []
    for ancestor, left, right in _chunks(*lines):
        if left == right or right == ancestor:
            kept += left
        elif left == ancestor:
            kept += right
        else:
            return None
    text = "".join(kept)
    return text if mine.endswith("\n") or theirs.endswith("\n") else text.removesuffix("\n")


def _ended(text: str) -> str:
    """With a line end, so that a line added at the end does not change the one before it."""
    return text if not text or text.endswith("\n") else f"{text}\n"


def _chunks(
    base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]
) -> Iterator[tuple[list[str], list[str], list[str]]]:
    """The three texts cut at the places where all of them are alike."""
    at = left = right = 0
    for (first, from_left, from_right), size in _alike(base, mine, theirs):
        if (at, left, right) != (first, from_left, from_right):
            yield list(base[at:first]), list(mine[left:from_left]), list(theirs[right:from_right])
        same = list(base[first : first + size])
        yield same, same, same
        at, left, right = first + size, from_left + size, from_right + size
    yield list(base[at:]), list(mine[left:]), list(theirs[right:])


def _alike(
    base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]
) -> Iterator[tuple[tuple[int, int, int], int]]:
    """Where a run of lines of `base` stands in all three, and how long it is."""
    lefts, rights = _matches(base, mine), _matches(base, theirs)
    at_left = at_right = 0
    while at_left < len(lefts) and at_right < len(rights):
        (one, in_left, many), (other, in_right, more) = lefts[at_left], rights[at_right]
        first, last = max(one, other), min(one + many, other + more)
        if first < last:
            yield (first, in_left + first - one, in_right + first - other), last - first
        if one + many < other + more:
            at_left += 1
        else:
            at_right += 1


def _matches(base: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int]]:
    """Runs of equal lines (place in base, place in other, lines), in order.

    What is alike at both ends is taken as it is: a timeline of ten thousand lines is mostly that, and comparing the
    rest costs the square of its length.
    """
    shortest = min(len(base), len(other))
    head = next((at for at in range(shortest) if base[at] != other[at]), shortest)
    most = shortest - head
    tail = next((at for at in range(most) if base[-1 - at] != other[-1 - at]), most)
    inner = SequenceMatcher(None, base[head : len(base) - tail], other[head : len(other) - tail])
    found = [(0, 0, head)] if head else []
    found += [(head + one, head + two, size) for one, two, size in inner.get_matching_blocks() if size]
    if tail:
        found.append((len(base) - tail, len(other) - tail, tail))
    return found
