"""`lantern runbooks lint | list | show`: the runbooks in a terminal, without Slack and without a database."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from bot.catalogue import read_catalogue
from bot.domain.catalogue import Service
from bot.domain.runbook import Runbook, short
from bot.domain.suggestion import closest
from bot.domain.variables import of_service
from bot.runbooks.plain import as_plain_text
from bot.runbooks.reading import read_folder, read_runbook
from bot.runbooks.rules import Problem
from bot.runbooks.steps import BALANCERS
from bot.settings import Settings, SettingsWrong, read_settings
from bot.shelves import checkout
from bot.wiring import utc_now


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `runbooks` and what it can do."""
    runbooks = commands.add_parser("runbooks", help="judge, list and read the runbooks")
    words = runbooks.add_subparsers(required=True, metavar="word")

    judged = words.add_parser("lint", help="say what is wrong, by file and line (status 1 with an error)")
    judged.add_argument(
        "folder", nargs="?", type=Path, default=None, help="a folder or a file (default: LANTERN_RUNBOOKS)"
    )
    judged.set_defaults(deed=_lint)

    listed = words.add_parser("list", help="list the runbooks")
    listed.set_defaults(deed=_list)

    shown = words.add_parser("show", help="print one, to follow it in a terminal")
    shown.add_argument("id", help="its file's name, for example lb-uneven-traffic")
    shown.add_argument(
        "--service", default="", help="fill variables and choose commands by this service of the catalogue"
    )
    shown.add_argument(
        "--balancer", default="", help=f"only the commands for it: {', '.join(sorted(BALANCERS))}"
    )
    shown.set_defaults(deed=_show)
    for one in (judged, listed, shown):
        one.add_argument("--env-file", type=Path, default=None, help="read settings from this file too")


def _lint(parsed: argparse.Namespace) -> int:
    folder = parsed.folder if parsed.folder is not None else read_settings(parsed.env_file).runbooks
    today = utc_now().date()
    if folder.is_file():
        runbook, problems = read_runbook(folder.absolute(), today=today)
        count = int(runbook is not None)
    else:
        found, problems = read_folder(folder.absolute(), today=today)
        count = len(found)
    errors = [one for one in problems if one.is_error]
    warnings = [one for one in problems if not one.is_error]
    for told in (errors, warnings):
        for one in told:
            print(_line(one, folder))
    print(_counted(count, len(errors), len(warnings), folder))
    return 1 if errors or not count else 0


def _counted(pages: int, errors: int, warnings: int, named: Path) -> str:
    if not pages and not errors:
        return f"There is no runbook in {named}: one is a file that ends in .md."
    said = [
        f"{count} {name}{'' if count == 1 else 's'}"
        for count, name in ((errors, "error"), (warnings, "warning"))
        if count
    ]
    followed = "1 runbook" if pages == 1 else f"{pages} runbooks"
    return f"{followed} can be followed, {' and '.join(said) or 'without a fault'}."


def _line(problem: Problem, named: Path) -> str:
    """`runbooks/lb-x.md:12: what to do [rule]`, the path as it is seen from here."""
    inside = Path(problem.file).name
    is_whole = named.is_file() or problem.rule.startswith("folder-")
    path = os.path.relpath(named.absolute() if is_whole else named.absolute() / inside)
    mark = "" if problem.is_error else "warning: "
    return f"{path}:{problem.line}: {mark}{problem.sentence} [{problem.rule}]"


def _read(settings: Settings) -> dict[str, Runbook]:
    """The runbooks of the setting's folder. Raises SettingsWrong when there are none."""
    found, problems = read_folder(settings.runbooks, today=utc_now().date())
    if not found:
        told = [str(one) for one in problems[:5]]
        example = "Set LANTERN_RUNBOOKS to a folder of runbooks, for example LANTERN_RUNBOOKS=ops/runbooks."
        raise SettingsWrong([*told, f"There are no runbooks in {settings.runbooks}. {example}"])
    commit = checkout(settings.runbooks)
    return {name: replace(one, commit=commit) for name, one in found.items()}


def _list(parsed: argparse.Namespace) -> int:
    settings = read_settings(parsed.env_file)
    found = _read(settings)
    width = max(map(len, found))
    for one in found.values():
        steps = "1 step" if len(one.steps) == 1 else f"{len(one.steps)} steps"
        print(f"{one.id:<{width}}  {one.title} ({steps})")
    commit = next(iter(found.values())).commit
    print(f"\n{len(found)} in {settings.runbooks}{f', commit {short(commit)}' if commit else ''}.")
    return 0


def _show(parsed: argparse.Namespace) -> int:
    settings = read_settings(parsed.env_file)
    found = _read(settings)
    wanted = parsed.id.strip().lower().removesuffix(".md")
    if wanted not in found:
        near = closest(found, wanted)
        hint = f" Did you mean `lantern runbooks show {near}`?" if near else ""
        raise SettingsWrong([f"There is no runbook “{parsed.id}”.{hint} `lantern runbooks list` shows all."])
    kind = parsed.balancer.lower()
    if kind and kind not in BALANCERS:
        raise SettingsWrong(
            [
                f"“{parsed.balancer}” is no balancer that runbooks know. There are {', '.join(sorted(BALANCERS))}."
            ]
        )
    values = {}
    if parsed.service:
        values = of_service(_service(settings, parsed.service))
        kind = kind or values.get("balancer", "")
    print(as_plain_text(found[wanted], values, kind), end="")
    return 0


def _service(settings: Settings, name: str) -> Service:
    if settings.catalogue is None:
        raise SettingsWrong(
            ["There is no catalogue. Name one, LANTERN_CATALOGUE=catalogue.yaml, or leave out --service."]
        )
    services, problems = read_catalogue(settings.catalogue)
    for problem in problems:
        print(problem, file=sys.stderr)
    service = services.get(name.strip().lower())
    if service is None:
        known = ", ".join(sorted(services)) or "none"
        raise SettingsWrong([f"The catalogue has no service “{name}”. It has: {known}."])
    return service
