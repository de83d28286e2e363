"""Runbooks and past incidents that may help, as answers and as a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.domain import markup
from bot.domain.precedent import Precedent
from bot.domain.runbook import Runbook, short
from bot.domain.suggestion import Suggestion
from bot.slack.blocks import Block, button, context, cut, section
from bot.slack.door import Answer
from bot.usecases.suggestion import Suggested

_NOTHING_FITS = "No runbook matches the words of this incident so far, and no past incident looked like it."
#: Characters of what a past incident was: a phrase.
_PHRASE = 200


def runbooks_found(incident_id: int | None, found: Sequence[Suggestion], nothing: str) -> Answer:
    """Runbooks with the reason and, inside an incident, a button that starts each."""
    return _answer(incident_id, Suggested(tuple(found), ()), nothing)


def suggestions(incident_id: int, found: Suggested) -> Answer:
    """What may help with the incident: runbooks, and past incidents with what they were."""
    return _answer(incident_id, found, _NOTHING_FITS)


def suggestion_message(incident_id: int, found: Suggested) -> tuple[str, list[Block]]:
    """The same as a message that comes by itself when an incident opens."""
    text, blocks = _listed(incident_id, found)
    lead = ":bulb: *This may help:*"
    return f"{lead}\n{text}", [
        section(lead),
        *blocks,
        context("More: `/runbook`, `/incident search <words>`"),
    ]


def _answer(incident_id: int | None, found: Suggested, nothing: str) -> Answer:
    if not found:
        return Answer(
            f"{nothing} `/runbook list` shows all, `/runbook search uneven traffic` looks for words."
        )
    text, blocks = _listed(incident_id, found)
    if found.runbooks:
        source = _from(one.runbook for one in found.runbooks)
        blocks.append(context(f"Start one: `/runbook start <id>`. All of them: `/runbook list`.{source}"))
    return Answer(text, blocks)


def _listed(incident_id: int | None, found: Suggested) -> tuple[str, list[Block]]:
    blocks: list[Block] = []
    lines: list[str] = []
    for one in found.runbooks[:10]:
        reason = markup.escape(one.reason)
        start = (
            button("Start", "runbook_start", f"{incident_id}:{one.runbook.id}", style="primary")
            if incident_id is not None
            else None
        )
        title = markup.escape(one.runbook.title)
        blocks.append(section(f"*{title}* `{one.runbook.id}`\n{reason}", accessory=start))
        lines.append(f"{one.runbook.id}: {title} ({reason})")
    for past in found.precedents:
        lines.append(precedent_line(past))
        blocks.append(section(lines[-1]))
    return cut("\n".join(lines), 3900), blocks


def precedent_line(past: Precedent) -> str:
    """ "#inc-0031-… inc-0031 looked like this; it was: the weights" and why one thinks so."""
    about = past.incident
    where = f"<#{about.channel_id}> " if about.channel_id else ""
    was = f"it was: {markup.escape(cut(past.was, _PHRASE))}" if past.was else "nobody wrote down what it was"
    return f"{where}*{about.slug}* looked like this; {was}\n{markup.escape(past.reason)}"


def all_of(shelf: Mapping[str, Runbook]) -> Answer:
    """Every runbook, a line each."""
    if not shelf:
        return Answer("There are no runbooks. Put some into the runbooks folder; `lantern check` reads them.")
    lines = [f"`{one.id}` {markup.escape(one.title)} ({len(one.steps)} steps)" for one in shelf.values()]
    last = f"Start one: `/runbook start <id>`.{_from(shelf.values())}"
    return Answer(f"{cut(chr(10).join(sorted(lines)), 3700)}\n{last}")


def _from(runbooks: Iterable[Runbook]) -> str:
    """The commit that they were read from; all of a folder have the same."""
    commits = sorted({short(one.commit) for one in runbooks if one.commit})
    return f" From commit `{commits[0]}`." if commits else ""
