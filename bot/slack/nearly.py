"""The word that was probably meant."""

from __future__ import annotations

import difflib


def nearly(word: str, known: list[str]) -> str | None:
    """The known word closest to a mistyped one; None when none is close."""
    found = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return found[0] if found else None
