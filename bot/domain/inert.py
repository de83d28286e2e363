"""Plain text for an issue on GitHub or GitLab: nothing in it calls a person, closes an issue or is a command.

Both read mentions and references from the rendered text, so an escape of Markdown's alone does not stop them
(GitLab's documentation, "GitLab Flavored Markdown"; GitHub's, "Autolinked references and URLs"). A zero-width space
behind the sign does: `@ana` names nobody any more. GitLab also takes a line that begins with "/" as a command
("Quick actions"), in a description too.
"""

from __future__ import annotations

import re

from bot.domain.tracker import Body

#: Stands between a sign and the word that it would mark.
_JOINT = "\u200b"
#: People, issues, merge requests, labels, milestones, snippets, epics, alerts, and GH-12.
_SIGNS = re.compile(r"([@#!~%$&^])(?=[\w\"'\[])|(?<![A-Za-z0-9])(GH-|GL-)(?=\d)", re.IGNORECASE)
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$&]")
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#@!$&'*+,;=%]*[A-Za-z0-9\-_~/#=%]")
_STARTS = re.compile(r"^(?:[-+=#/:]|(\d{1,9})(?=[.)]))")


def line(text: str) -> str:
    """One line for a title, at most 200 characters: plain, with the signs defused."""
    whole = _SIGNS.sub(lambda found: found[0] + _JOINT, " ".join(text.split()))
    # Cut behind the joints, which count too; what is left of a sign at the end goes along.
    return whole if len(whole) <= 200 else whole[:199].rstrip(f" {_JOINT}@#!~%$&^") + "…"


def markdown(text: str) -> str:
    """Plain text as Markdown that reads the same. Web addresses stay links; nothing else has effect."""
    return "  \n".join(_line(one.strip()) for one in text.splitlines()).strip()


def document(body: Body, mark: str) -> str:
    """A whole body as Markdown, with the mark where people do not see it."""
    parts = [markdown(body.text), markdown("\n".join(body.facts))]
    if body.page:
        parts.append(f"[The incident in Lantern]({body.page})")
    return "\n\n".join([*(part for part in parts if part), f"<!-- {mark} -->"])


def _line(text: str) -> str:
    written, at = "", 0
    for found in _URL.finditer(text):
        written += _defused(text[at : found.start()]) + f"<{found[0]}>"
        at = found.end()
    written += _defused(text[at:])
    return _STARTS.sub(lambda start: f"{start[1]}\\" if start[1] else f"\\{start[0]}", written)


def _defused(text: str) -> str:
    # The joint goes in first, and as itself: an entity would be escaped with the rest.
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", _SIGNS.sub(lambda found: found[0] + _JOINT, text))
