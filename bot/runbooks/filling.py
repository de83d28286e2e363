"""A runbook's text made ready to be read: its variables filled, the commands of other balancers left out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.domain.refusals import Refusal
from bot.domain.runbook import Command, Runbook, Step
from bot.domain.variables import VALUE, VARIABLE

#: A block of commands in a field, and the balancer that it is for.
_BLOCK = re.compile(
    r"^[ ]{0,3}(?P<mark>`{3,}|~{3,})(?:sh|bash|console) (?P<kind>\w+)[^\n]*\n.*?^[ ]{0,3}(?P=mark)[ ]*$\n?",
    re.MULTILINE | re.DOTALL,
)


def fill(text: str, runbook: Runbook, extra: Mapping[str, str]) -> str:
    """The text with each `{{ name }}` we know filled.

    What is known of the incident and its service (`extra`) wins over the runbook's own `vars`; `owner` and
    `escalate_to` are the runbook's, and without an owner the service's. An empty value, like an unknown name, stays
    as it is written.
    Raises Refusal when a value could change a command's meaning.
    """
    owner = runbook.owner or extra.get("service_owner", "")
    values = {**runbook.variables, **extra, "owner": owner, "escalate_to": runbook.escalate_to}

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if not values.get(name):
            return found[0]
        if not VALUE.fullmatch(values[name]):
            raise Refusal(
                f"I will not put that value of `{name}` into a command: it may only hold letters, digits, spaces and "
                f". / : @ _ -, at most 120 of them. Give a plain one, such as `{name}=be_auth`."
            )
        return values[name]

    return VARIABLE.sub(value, text)


def commands_for(step: Step, kind: str) -> tuple[list[Command], list[str]]:
    """The step's commands for a kind of balancer, and the kinds that were left out. All, when it has none for it."""
    kinds = {one.balancer for one in step.commands}
    if not kind or kind not in kinds:
        return list(step.commands), []
    kept = [one for one in step.commands if one.balancer in ("", kind)]
    return kept, list(dict.fromkeys(one.balancer for one in step.commands if one not in kept))


def field_for(text: str, kind: str) -> str:
    """A field's Markdown with the blocks of that balancer; if it has none, with every block under its balancer."""
    kinds = {found["kind"] for found in _BLOCK.finditer(text)}

    def block(found: re.Match[str]) -> str:
        if kind in kinds:
            return found[0] if found["kind"] == kind else ""
        return f"**{found['kind']}:**\n\n{found[0]}"

    return re.sub(r"\n{3,}", "\n\n", _BLOCK.sub(block, text)).strip()
