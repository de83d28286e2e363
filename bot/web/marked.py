"""What was found in a text, marked."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from bot.domain.terms import Term


def marked(text: str, terms: Iterable[Term]) -> Markup:
    """A plain text with the first place of each term marked; all of it is escaped."""
    spans = sorted(span for term in terms if (span := term.span(text)) is not None and span[0] < span[1])
    out, at = Markup(), 0
    for start, end in spans:
        if start < at:
            continue
        out += escape(text[at:start]) + Markup("<mark>{}</mark>").format(text[start:end])
        at = end
    return out + escape(text[at:])
