"""/incident search <words>"""

from __future__ import annotations

from bot.domain import markup
from bot.slack import cards
from bot.slack.ask import Ask
from bot.slack.blocks import cut
from bot.slack.door import Answer, Door
from bot.usecases.search import Finding, search_incidents

COMMAND, WORD = "/incident", "search"
ALIASES = ("find",)
USAGE = "<words>"
SUMMARY = "find incidents by their words: titles, causes, fixes, entries, lessons"
EXAMPLES = ("/incident search uneven traffic", "/incident search 10.0.0.5")

#: Characters of what is found; an answer has 4,000.
_ROOM = 3300


def run(door: Door, ask: Ask, rest: str) -> Answer:
    finding = search_incidents(door.desk, rest, by=ask.user)
    if not finding.found:
        return Answer(
            f"No incident that you can see speaks of {_words(finding)}. Fewer or other words find more; "
            "`/incident list all` shows the newest."
        )
    lead = ""
    if not finding.is_whole:
        lead = f"No incident that you can see holds all of {_words(finding)}. These hold some:\n"
    shown: list[str] = []
    for one in finding.found:
        hits = [f"\n> {hit.where}: {markup.escape(hit.text)}" for hit in one.hits]
        shown.append(cards.list_line(one.incident) + "".join(hits))
    while len(shown) > 1 and len("\n".join(shown)) > _ROOM:
        shown.pop()
    more = finding.total - len(shown)
    tail = f"\n{more} more: add a word that tells them apart." if more else ""
    return Answer(cut(lead + "\n".join(shown), 3900) + tail)


def _words(finding: Finding) -> str:
    return ", ".join(f"“{markup.escape(word)}”" for word in finding.words)
