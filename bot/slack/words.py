"""Which sub-command is meant: by its word, an alias, or nearly so."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

from bot.domain import markup
from bot.domain.refusals import Refusal
from bot.shelf import gather
from bot.slack import commands
from bot.slack.ask import Ask
from bot.slack.door import Answer, Door
from bot.slack.nearly import nearly


@dataclass(frozen=True)
class Words:
    """All sub-commands, found in their folder."""

    #: (command, word) -> module; aliases too.
    by_word: dict[tuple[str, str], ModuleType]
    modules: tuple[ModuleType, ...]

    @property
    def commands(self) -> set[str]:
        """The slash commands that the app answers."""
        return {module.COMMAND for module in self.modules}

    def run(self, door: Door, ask: Ask) -> Answer:
        """Run what was typed. Raises Refusal with the nearest word when it is unknown."""
        text = ask.text.strip()
        # Any white space ends the word: a line break or a tab that was pasted, too.
        word, rest = (*text.split(maxsplit=1), "", "")[:2]
        word = word.lower().rstrip(":")
        module = self.by_word.get((ask.name, word))
        if module is not None and word and _fits(module, rest):
            return _answer(module, door, ask, rest)
        fallback = self.by_word.get((ask.name, ""))
        if fallback is None:
            raise Refusal(
                f"Lantern does not know `{markup.escape(ask.name)}`. `/incident help` shows what it knows."
            )
        if not _fits(fallback, text):
            raise self._unknown(ask.name, word, text)
        return _answer(fallback, door, ask, text)

    def _unknown(self, command: str, word: str, text: str) -> Refusal:
        known = sorted(one for name, one in self.by_word if name == command and one)
        near = nearly(word, known)
        shown = markup.escape(text[:120]) if text else ""
        if near:
            rest = markup.escape(text[len(word) :][:120])
            return Refusal(
                f"There is no `{command} {markup.escape(word[:40])}`. Did you mean `{command} {near}{rest}`?"
            )
        return Refusal(
            f"There is no `{command} {markup.escape(word[:40])}`. To open an incident: `/incident open {shown}`. "
            "All words: `/incident help`."
        )


def _fits(module: ModuleType, rest: str) -> bool:
    fits = getattr(module, "fits", None)
    return True if fits is None else bool(fits(rest))


def _answer(module: ModuleType, door: Door, ask: Ask, rest: str) -> Answer:
    answer = module.run(door, ask, rest)
    assert isinstance(answer, Answer), f"{module.__name__}.run gave no Answer"
    return answer


def gather_words() -> Words:
    """Every sub-command of bot/slack/commands. Raises ValueError when two files claim a word."""
    modules = gather(commands, "COMMAND", "WORD", "USAGE", "SUMMARY", "EXAMPLES", "run")
    by_word: dict[tuple[str, str], ModuleType] = {}
    for module in modules:
        for word in (module.WORD, *getattr(module, "ALIASES", ())):
            if (module.COMMAND, word) in by_word:
                raise ValueError(f"{module.__name__} claims a word that is taken: {module.COMMAND} {word}")
            by_word[(module.COMMAND, word)] = module
    return Words(by_word, tuple(modules))
