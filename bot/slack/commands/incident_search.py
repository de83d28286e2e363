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


def run(door: Door, ask: Ask, rest: str) -> Answer:
    finding = search_incidents(door.desk, rest, by=ask.user)
    if not finding.found:
        return Answer(
            f"No incident that you can see speaks of {_words(finding)}. Fewer or other words find more; "
            "`/incident list all` shows the newest."
        )
    lines = []
    if not finding.is_whole:
        lines.append(f"No incident that you can see holds all of {_words(finding)}. These hold some:")
    for one in finding.found:
        lines.append(cards.list_line(one.incident))
        lines += [f"> {hit.where}: {markup.escape(hit.text)}" for hit in one.hits]
    more = finding.total - len(finding.found)
    if more:
        lines.append(f"{more} more: add a word that tells them apart.")
    return Answer(cut("\n".join(lines), 3900))


def _words(finding: Finding) -> str:
    return ", ".join(f"“{markup.escape(word)}”" for word in finding.words)
