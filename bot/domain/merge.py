"""Bringing two changes of one text together, line by line, so that no line of either is lost.

The three-way merge of Khanna, Kunal and Pierce, "A Formal Investigation of Diff3" (2007): where only one side differs
from the common ancestor it wins, where both differ the same way there is nothing to decide, and else nobody may decide
but a person.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise


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
    for (first, from_left, from_right), size in _in_all(base, mine, theirs):
        if (at, left, right) != (first, from_left, from_right):
            yield list(base[at:first]), list(mine[left:from_left]), list(theirs[right:from_right])
        same = list(base[first : first + size])
        yield same, same, same
        at, left, right = first + size, from_left + size, from_right + size
    yield list(base[at:]), list(mine[left:]), list(theirs[right:])


def _in_all(
    base: Sequence[str], mine: Sequence[str], theirs: Sequence[str]
) -> Iterator[tuple[tuple[int, int, int], int]]:
    """Where a run of lines of `base` stands in all three, and how long it is."""
    lefts, rights = alike(base, mine), alike(base, theirs)
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


def alike(base: Sequence[str], other: Sequence[str]) -> list[tuple[int, int, int]]:
    """Runs of equal lines (place in base, place in other, lines), in order.

    Lines that each text has once are alike wherever they stand in the same order (Bram Cohen's patience diff): they cut
    the texts into short pieces. Only between them every line is compared with every other, which costs the square of a
    piece's length; of the whole it would be that of ten thousand lines.
    """
    found: list[tuple[int, int, int]] = []
    for (here, there), (end_here, end_there) in pairwise(
        [(-1, -1), *_anchors(base, other), (len(base), len(other))]
    ):
        if here >= 0:
            _joined(found, here, there, 1)
        for at, to, size in _compared(base[here + 1 : end_here], other[there + 1 : end_there]):
            _joined(found, here + 1 + at, there + 1 + to, size)
    return found


def _compared(base: Sequence[str], other: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Runs of equal lines in a piece: what is alike at both ends as it is, and the rest line by line."""
    shortest = min(len(base), len(other))
    head = next((at for at in range(shortest) if base[at] != other[at]), shortest)
    most = shortest - head
    tail = next((at for at in range(most) if base[-1 - at] != other[-1 - at]), most)
    yield 0, 0, head
    if tail < most:
        inner = SequenceMatcher(None, base[head : len(base) - tail], other[head : len(other) - tail])
        for at, to, size in inner.get_matching_blocks():
            yield head + at, head + to, size
    yield len(base) - tail, len(other) - tail, tail


def _joined(found: list[tuple[int, int, int]], here: int, there: int, size: int) -> None:
    """Add a run; one that follows right behind the last is a part of it."""
    if not size:
        return
    if found:
        at, to, many = found[-1]
        if (at + many, to + many) == (here, there):
            found[-1] = (at, to, many + size)
            return
    found.append((here, there, size))


def _anchors(base: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Where lines stand that each text has once, as many as are in the same order in both."""
    once = _once(other)
    both = [(at, once[line]) for line, at in _once(base).items() if line in once]
    # The longest rising run of places in `other`: each pile ends in the lowest place that such a run can end in.
    ends: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for number, (_, place) in enumerate(both):
        pile = bisect_left(ends, place)
        before.append(piles[pile - 1] if pile else -1)
        ends[pile : pile + 1] = [place]
        piles[pile : pile + 1] = [number]
    run: list[tuple[int, int]] = []
    number = piles[-1] if piles else -1
    while number >= 0:
        run.append(both[number])
        number = before[number]
    return run[::-1]


def _once(lines: Sequence[str]) -> dict[str, int]:
    """Line -> its place, of those that come once, in order."""
    counts = Counter(lines)
    return {line: at for at, line in enumerate(lines) if counts[line] == 1}
