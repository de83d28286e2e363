"""Exporters: a draft or an incident, in other people's formats.

One format is one file here, and the file is its own registration: NAME is the word people type, TITLE what
people call it, SUFFIX what its files end in, MEDIA_TYPE what browsers are told, and `write(export)` gives the
bytes of the file, or raises Refusal. What several of them need stands in this file: the sandbox for templates.

A template is the team's own file, so the sandbox guards against accidents: a loop in a loop in a loop, a
macro that calls itself, a word repeated a thousand million times. Each ends in a sentence, not in a hang.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import CodeType
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from bot.domain.draft import Words

#: Turns of loops and calls in one rendering: a draft of 2,000 entries takes some 15,000.
MAX_TURNS = 400_000
#: Characters of one rendering: 2,000 entries of 3,000 characters, three times over, still fit.
MAX_LENGTH = 32_000_000
#: The largest number a template may calculate with or pass on.
MAX_NUMBER = 1_000_000
#: The filters that make a long text out of a number.
_INFLATING = ("center", "format", "indent", "wordwrap", "batch", "slice", "round")


class Bounded(SandboxedEnvironment):
    """One rendering's sandbox: it counts down, so it is built anew for each."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, shelf: Mapping[str, str], *, is_own: bool) -> None:
        """`shelf`: the templates by name that may be included or extended; nothing else can be.

        `is_own`: what is rendered is our own and must never be cut short, however long the incident.
        """
        # Autoescape is for HTML. This renders Markdown, and the draft's words are escaped for that.
        super().__init__(
            loader=DictLoader(shelf),
            undefined=StrictUndefined,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._is_own = is_own
        self.turns_left = math.inf if is_own else MAX_TURNS
        self.longest = math.inf if is_own else MAX_LENGTH
        for name in _INFLATING:
            self.filters.pop(name)
        self.globals.pop("lipsum")
        self.filters["counted"] = self.counted
        self.filters["under"] = under
        self.filters["hung"] = hung

    def ready(self, source: str, name: str) -> Template:
        """A template whose loops are counted."""
        return Template.from_code(self, _compiled(source, name), self.make_globals(None))

    def counted(self, items: Iterable[Any]) -> Iterator[Any]:
        """Pass items on, one turn each."""
        for item in items:
            self._turn()
            yield item

    def getattr(self, obj: Any, attribute: str) -> Any:
        """What the sandbox asks of every attribute, our own template does not have to answer: half of its time."""
        if self._is_own:
            return Environment.getattr(self, obj, attribute)
        return super().getattr(obj, attribute)

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call as the sandbox does, one turn each, with no large number, and no text that is formatted by one."""
        self._turn()
        if getattr(obj, "__name__", "") in {"format", "format_map"}:
            raise SecurityError("`.format` is not for templates here: write the pieces with ~ between them")
        for arg in (*args, *kwargs.values()):
            _refuse_large(arg)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Multiply small numbers; powers, repeated and formatted texts are refused."""
        if operator == "**" or not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
            raise SecurityError(f"`{operator}` is for small numbers only here")
        product = left % right if operator == "%" else left * right
        _refuse_large(product)
        return product

    def write(self, template: Template, **variables: Any) -> str:
        """Render, up to MAX_LENGTH characters."""
        pieces, length = [], 0
        for piece in template.generate(**variables):
            length += len(piece)
            if length > self.longest:
                raise SecurityError(f"the text is longer than {MAX_LENGTH:,} characters")
            pieces.append(piece)
        return "".join(pieces)

    def _turn(self) -> None:
        self.turns_left -= 1
        if self.turns_left < 0:
            raise SecurityError(f"more than {MAX_TURNS:,} turns of loops and calls: does a loop end?")


@lru_cache(maxsize=8)
def _compiled(source: str, name: str) -> CodeType:
    """A template's code, which serves every rendering: compiling takes ten times as long as rendering."""
    # Compiling looks at constants' attributes already, so this is anybody's sandbox.
    sandbox = Bounded({}, is_own=False)
    tree = sandbox.parse(source, name, name)
    for loop in tree.find_all(nodes.For):
        loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
    return sandbox.compile(tree, name, name)


def under(words: Words, width: int) -> str:
    """Set words behind others in a list item whose marker has that many characters.

    Several lines get a paragraph of their own.
    """
    if not words.markdown:
        return ""
    if not words.is_block:
        return f" {words.markdown}"
    return f"\n\n{' ' * width}{hung(words, width)}"


def hung(words: Words, width: int) -> str:
    """Set words right behind a list marker of that many characters: the lines after the first hang below."""
    first, *others = words.markdown.split("\n")
    margin = " " * width
    return "\n".join((first, *(f"{margin}{line}" if line.strip() else "" for line in others)))


def _refuse_large(value: Any) -> None:
    if isinstance(value, (int, float)) and abs(value) > MAX_NUMBER:
        raise SecurityError(f"a number above {MAX_NUMBER:,}")


#: What a template's rendering can end in, besides a text.
BROKEN = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
