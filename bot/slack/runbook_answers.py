"""Lists and suggestions of runbooks, as answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.domain import markup
from bot.domain.runbook import Runbook, short
from bot.domain.suggestion import Suggestion
from bot.slack.blocks import Block, button, context, cut, section
from bot.slack.door import Answer


def suggestions(incident_id: int | None, found: Sequence[Suggestion], nothing: str) -> Answer:
    """Suggested runbooks with the reason and, inside an incident, a button that starts each."""
    if not found:
        return Answer(
            f"{nothing} `/runbook list` shows all, `/runbook search uneven traffic` looks for words."
        )
    blocks: list[Block] = []
    for one in found[:10]:
        text = f"*{markup.escape(one.runbook.title)}* `{one.runbook.id}`\n{markup.escape(one.reason)}"
        start = (
            button("Start", "runbook_start", f"{incident_id}:{one.runbook.id}", style="primary")
            if incident_id is not None
            else None
        )
        blocks.append(section(text, accessory=start))
    blocks.append(
        context(
            f"Start one: `/runbook start <id>`. All of them: `/runbook list`.{_from(one.runbook for one in found)}"
        )
    )
    text = "\n".join(
        f"{one.runbook.id}: {markup.escape(one.runbook.title)} ({markup.escape(one.reason)})" for one in found
    )
    return Answer(cut(text, 3900), blocks)


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
