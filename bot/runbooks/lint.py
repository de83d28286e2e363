"""What must be right in a runbook beyond its front matter and its steps: checks, variables, links, age."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bot.domain.expectation import is_condition, seconds
from bot.domain.figures import NAMED
from bot.domain.runbook import CHECKS, Check, Runbook
from bot.domain.variables import FROM_THE_CATALOGUE, FROM_THE_INCIDENT, VALUE, VARIABLE
from bot.runbooks.front import read_yaml
from bot.runbooks.rules import Faults, did_you_mean

#: What a check may be told beside `run` and `expect`.
PARAMETERS = frozenset({"balancer", "backend", "window"})
#: What begins like a variable and is none: `{{ back-end }}`, `{{ backend }`.
_BROKEN_VARIABLE = re.compile(r"\{\{\s*(?:\w+-[\w-]*\s*\}\}|[A-Za-z_]\w*\s*\}(?!\}))")


def review_age(runbook: Runbook, today: date, line: int, faults: Faults) -> None:
    """Tell when the last review lies in the future or too long ago."""
    if runbook.reviewed_on is None:
        return
    if runbook.reviewed_on > today:
        faults.tell(
            "review-to-come",
            line,
            f"`reviewed` is {runbook.reviewed_on}, a day to come. Write the day it was last read.",
        )
    elif today - runbook.reviewed_on > timedelta(days=runbook.review_every):
        age = (today - runbook.reviewed_on).days
        faults.tell(
            "review-old",
            line,
            f"Last reviewed {age} days ago, more than {runbook.review_every}. "
            f"Read it through and write `reviewed: {today}`.",
        )


def read_check(written: str, first_line: int, faults: Faults) -> Check | None:
    """A `yaml check` block, or None and a fault when it names no known check."""
    values, lines = read_yaml(written, first_line, faults)
    if not values:
        return None
    run, expect = values.pop("run", ""), values.pop("expect", {}) or {}
    if run not in CHECKS:
        faults.tell(
            "check-unknown",
            lines.get("run", first_line),
            f"`{run}` is not a check the bot knows.{did_you_mean(str(run), CHECKS)}",
        )
        return None
    params = {
        name: value
        for name, value in values.items()
        if _is_parameter(name, value, lines.get(name, first_line), faults)
    }
    if not isinstance(expect, dict):
        faults.tell("check-condition", lines.get("expect", first_line), _CONDITIONS)
        expect = {}
    wanted = {
        str(figure): str(condition)
        for figure, condition in expect.items()
        if _is_expectable(figure, condition, lines.get(f"expect.{figure}", first_line), faults)
    }
    return Check(run=str(run), params={name: str(value) for name, value in params.items()}, expect=wanted)


_CONDITIONS = (
    'Each line under `expect` is a figure and a condition in quotes, such as `off_target_share: "< 0.10"`.'
)


def _is_parameter(name: str, value: object, line: int, faults: Faults) -> bool:
    if not isinstance(value, str) or not VALUE.fullmatch(VARIABLE.sub("x", value)):
        faults.tell(
            "check-parameter", line, f'`{name}` must be one plain value, such as `backend: "be_auth"`.'
        )
        return False
    if name == "window" and not VARIABLE.search(value) and seconds(value) is None:
        faults.tell(
            "check-parameter",
            line,
            f"`{value}` is no window. Write seconds from 1 to 60, such as `window: 20s`.",
        )
        return False
    if name not in PARAMETERS:
        faults.tell(
            "check-parameter-unknown", line, f"A check heeds no `{name}`.{did_you_mean(name, PARAMETERS)}"
        )
    return True


def _is_expectable(figure: object, condition: object, line: int, faults: Faults) -> bool:
    if not isinstance(condition, str) or not is_condition(condition):
        faults.tell("check-condition", line, _CONDITIONS)
        return False
    if figure not in NAMED:
        faults.tell(
            "check-figure", line, f"`{figure}` is no figure that is read.{did_you_mean(str(figure), NAMED)}"
        )
        return False
    return True


def variables_known(lines: Iterable[str], first_line: int, variables: Iterable[str], faults: Faults) -> None:
    """Warn of every `{{ name }}` that nothing will fill."""
    known = set(variables) | {"owner", "escalate_to"} | FROM_THE_INCIDENT | FROM_THE_CATALOGUE
    for number, line in enumerate(lines, first_line):
        for name in dict.fromkeys(VARIABLE.findall(line)):
            if name not in known:
                faults.tell(
                    "variable-unknown",
                    number,
                    f"Nothing fills `{{{{ {name} }}}}`. Add it under `vars`.{did_you_mean(name, known)}",
                )
        if broken := _BROKEN_VARIABLE.search(line):
            sentence = f"`{broken[0]}` is no variable and stays as it is. Write `{{{{ name }}}}`, with a-z, 0-9 and _."
            faults.tell("variable-broken", number, sentence)


def link_lives(
    href: str,
    line: int,
    folder: Path,
    own: frozenset[str],
    elsewhere: Callable[[Path], frozenset[str]],
    faults: Faults,
) -> None:
    """Tell of a link that leads nowhere: `own` are this page's anchors, `elsewhere` gives those of another file."""
    try:
        parts = urlsplit(href)
        path, anchor = unquote(parts.path), unquote(parts.fragment)
        target = folder / path
        is_there = target.exists()
    except (OSError, ValueError):
        faults.tell(
            "link-address",
            line,
            f"`{href[:80]}` is not an address. Write `https://...` or the name of a file here.",
        )
        return
    if parts.scheme in ("http", "https", "mailto"):
        return
    if parts.scheme or parts.netloc or path.startswith("/"):
        faults.tell(
            "link-outside",
            line,
            f"The link `{href}` leads out of this folder. Write `https://...` or a file's name.",
        )
    elif not is_there:
        faults.tell(
            "link-missing", line, f"There is no file `{path}` beside this one. Write it, or correct the link."
        )
    elif anchor and (not path or path.endswith(".md")):
        anchors = elsewhere(target) if path else own
        if anchor not in anchors:
            where = f"`{path}`" if path else "this file"
            faults.tell(
                "link-anchor",
                line,
                f"No heading of {where} has the anchor `#{anchor}`.{did_you_mean(anchor, anchors)}",
            )
