"""/incident help [word]"""

from __future__ import annotations

from bot.domain import markup
from bot.domain.refusals import Refusal
from bot.slack import words
from bot.slack.ask import Ask
from bot.slack.blocks import cut
from bot.slack.door import Answer, Door
from bot.slack.nearly import nearly

COMMAND, WORD = "/incident", "help"
ALIASES = ("?", "-h", "--help")
USAGE = "[word]"
SUMMARY = "show all commands, or one with its examples"
EXAMPLES = ("/incident help", "/incident help follow-up")


def run(door: Door, ask: Ask, rest: str) -> Answer:
    modules = words.gather_words().modules
    wanted = rest.strip().lower().lstrip("/")
    if not wanted:
        lines = [
            f"`{module.COMMAND}{' ' + module.WORD if module.WORD else ''}` {module.SUMMARY}"
            for module in sorted(modules, key=lambda one: (one.COMMAND != "/log", one.COMMAND, one.WORD))
        ]
        return Answer(
            "*What Lantern does*\n" + "\n".join(lines) + "\nMore about one: `/incident help follow-up`"
        )
    known = {module.WORD or module.COMMAND.lstrip("/"): module for module in modules}
    for module in modules:
        known.update({alias: module for alias in getattr(module, "ALIASES", ()) if alias not in known})
    chosen = known.get(wanted) or known.get(wanted.removeprefix("incident ").strip())
    if chosen is None:
        near = nearly(wanted, list(known))
        hint = f"Did you mean `/incident help {near}`?" if near else "`/incident help` shows all words."
        raise Refusal(f"There is no command “{markup.escape(wanted[:40])}”. {hint}")
    name = f"{chosen.COMMAND} {chosen.WORD}".strip()
    examples = "\n".join(f"`{one}`" for one in chosen.EXAMPLES)
    return Answer(cut(f"*`{name} {markup.escape(chosen.USAGE)}`*\n{chosen.SUMMARY}\n{examples}", 3900))
