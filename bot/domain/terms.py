"""Words that people type and write, cut alike wherever they are compared: suggestions, search, similar incidents.

What a person types to look for is words and never a syntax: quotes, operators and wildcards are separators.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

_SAID_OF_ANYTHING = """
a about after again all an and any are as at be been but by can cannot could did do does down for from get
gets go goes had has have he her his how i if in into is it its just many me more most much my no not of
off on one only or other our out over please say says see seem seems she should since so some still
than that the their them then there these they this those to too under up us use user users very was we
were what when where which while who why will with would you your
"""
#: Words that say nothing about what is broken.
STOP_WORDS = frozenset(_SAID_OF_ANYTHING.split())

#: Terms of one question; what is typed beyond them is not looked for.
TERMS_AT_MOST = 8
#: Characters of one term.
_LONGEST = 64
#: A stem of so many letters finds every word that begins with it; a shorter one would find too much.
_LONG_STEM = 4
_ENDINGS = ("", "s", "e", "es", "ed", "ing")

_WORD = re.compile(r"[^\W_]+")
#: What stands between two terms; a point, a colon, a hyphen and the like may be inside of one.
_BREAK = re.compile(r"[^\w.:@\-]+")
_MARKED = re.compile(r"<(?:@([UW][A-Z0-9]+)[^<>]*|([^<>|]*)\|([^<>]*)|([^<>]*))>")
#: NUL, halves of a character and other controls: no text holds them.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
#: Scripts that write without spaces, or glue endings on: Thai to Khmer, kana, Han, Hangul.
_SPACELESS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


def stem(word: str) -> str:
    """The word without its commonest English endings: logins, login; unevenly, uneven; failing, fail."""
    for ending in ("ingly", "edly", "ures", "ings", "ure", "ing", "ies", "ed", "ly", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] in "ey":
        word = word[:-1]
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "sl":
        word = word[:-1]
    return word


def stems(text: str) -> dict[str, str]:
    """Stem -> the word as it was written, for every word that means something, in their order."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Names come as one piece, LoginFailureRateHigh or be_auth, and are matched whole.
    words = re.findall(r"[^\W_]+(?:[_.][^\W_]+)*", folded)
    return {stem(word): word for word in words if word not in STOP_WORDS and len(word) > 1}


@dataclass(frozen=True)
class Term:
    """One thing to look for."""

    #: As it was typed, for reasons and sentences.
    typed: str
    #: Any of these finds it. Words of one form are separated by a blank and stand beside each other in a text.
    forms: tuple[str, ...]
    #: Words that only begin like the form are found too.
    is_prefix: bool = False
    #: A piece of a script without spaces, or a sign: looked for anywhere in a text.
    is_piece: bool = False

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        if self.is_piece:
            return re.compile(re.escape(self.forms[0]))
        forms = "|".join(r"[\W_]+".join(map(re.escape, form.split())) for form in self.forms)
        rest = r"[^\W_]*" if self.is_prefix else r"(?![^\W_])"
        return re.compile(rf"(?<![^\W_])(?:{forms}){rest}", re.IGNORECASE)

    def span(self, text: str) -> tuple[int, int] | None:
        """Where it stands first in a text; None when it does not."""
        found = self._pattern.search(text)
        return None if found is None else found.span()


def _of_word(word: str) -> Term:
    short = stem(word)
    if any(letter.isdigit() for letter in word):
        return Term(word, (word,))
    if len(short) >= _LONG_STEM:
        return Term(word, (short,), is_prefix=True)
    forms = (word, f"{word}s", *(f"{short}{ending}" for ending in _ENDINGS))
    return Term(word, tuple(dict.fromkeys(forms)))


def _of_part(part: str) -> Iterable[Term]:
    """The terms of what stands between two breaks."""
    words = [word[:_LONGEST] for word in _WORD.findall(part)]
    is_name = "_" in part or any(map(str.isdigit, "".join(words)))
    if len(words) > 1 and is_name and not _SPACELESS.search(part):
        # 10.0.0.5, be_auth, 10:30: the pieces alone are everywhere.
        yield Term(part.strip(".:@-_")[:_LONGEST], (" ".join(words),))
        return
    for word in words:
        yield Term(word, (word,), is_piece=True) if _SPACELESS.search(word) else _of_word(word)


def read_terms(text: str, at_most: int = TERMS_AT_MOST) -> list[Term]:
    """What to look for in a text that a person typed or wrote (Slack's mrkdwn or plain), in its order.

    Everyday words count only when there are no others. [] when there is no word and no sign in it.
    """
    text = _CONTROL.sub(" ", unicodedata.normalize("NFC", text[:20_000]))
    text = _MARKED.sub(lambda found: f" {found[1] or found[3] or found[2] or found[4] or ''} ", text)
    for written, plain in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(written, plain)
    found: dict[tuple[str, ...], Term] = {}
    everyday: dict[tuple[str, ...], Term] = {}
    for chunk in text.lower().split():
        terms = [term for part in _BREAK.split(chunk) for term in _of_part(part)]
        signs = [letter for letter in chunk if unicodedata.category(letter) == "So"]
        if not terms and signs:
            # An emoji is several characters; the first tells it from others.
            terms = [Term(signs[0], (signs[0],), is_piece=True)]
        for term in terms:
            kept = everyday if term.typed in STOP_WORDS else found
            kept.setdefault(term.forms, term)
        if len(found) >= at_most:
            break
    return list((found or everyday).values())[:at_most]


def excerpt(text: str, terms: Iterable[Term], longest: int = 160) -> str:
    """A plain text on one line, cut to about its first hit, with … where it was cut."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    hits = [span for term in terms if (span := term.span(line)) is not None]
    first, last = min(hits, default=(0, 0))
    room = max(0, longest - (last - first))
    start = max(0, min(first - room // 3, len(line) - longest))
    if start:
        # Between words, if one ends near.
        blank = line.find(" ", start, min(start + 20, first))
        start = blank + 1 if blank != -1 else start
    end = min(len(line), start + longest)
    if end < len(line):
        blank = line.rfind(" ", max(last, end - 20), end)
        end = blank if blank != -1 else end
    return ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
