"""`lantern postmortem 42 --format html --out FILE`: the postmortem on standard output, or in a new file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bot.domain.incident import Incident
from bot.domain.refusals import Refusal
from bot.usecases import export, operator
from bot.usecases.desk import Desk


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What is said beside the incident."""
    parser.add_argument("--format", default="", help=f"{', '.join(export.formats())} (default: md)")
    parser.add_argument(
        "--out", type=Path, default=None, metavar="FILE", help="a new file, e.g. inc-0042.pdf"
    )
    parser.add_argument("--compile", action="store_true", help="compile it again first (needs --by)")


def hand_over(desk: Desk, about: Incident, parsed: argparse.Namespace) -> int:
    """Print the newest revision, or write it into a file that was not there. Raises Refusal."""
    form = check_wish(parsed)
    if operator.latest_draft(desk, about) is None:
        raise Refusal(
            f"{about.slug} has no draft yet. Compile one: lantern postmortem {about.number} --compile --by ana"
        )
    paper = export.paper_of_operator(desk, about, form)
    if parsed.out is None:
        sys.stdout.buffer.write(paper.content)
        sys.stdout.flush()
        return 0
    _write_new(parsed.out, paper.content)
    print(f"{parsed.out}: the postmortem of {about.slug}, {len(paper.content):,} bytes.")
    return 0


def check_wish(parsed: argparse.Namespace) -> str:
    """The format that was asked for, else the one the file's name ends in. Raises Refusal for what cannot be done."""
    known = export.formats()
    by_suffix = {one.SUFFIX: name for name, one in known.items()}
    form = str(parsed.format).lower() or (
        by_suffix.get(parsed.out.suffix.lower(), "md") if parsed.out else "md"
    )
    if form not in known:
        raise Refusal(
            f"“{form[:40]}” is no format of a postmortem. There are {', '.join(known)}, for example: "
            f"lantern postmortem {parsed.incident} --format html --out {parsed.incident}.html"
        )
    if form == "pdf" and parsed.out is None:
        raise Refusal(
            "A PDF goes into a file. Name one: "
            f"lantern postmortem {parsed.incident} --format pdf --out {parsed.incident}.pdf"
        )
    if parsed.out is not None and parsed.out.exists():
        raise _is_there(parsed.out)
    return form


def _is_there(file: Path) -> Refusal:
    return Refusal(f"{file} exists. Give another name, so that no older file is lost.")


def _write_new(file: Path, content: bytes) -> None:
    """Make a file that was not there, whole or not at all. Raises Refusal."""
    try:
        with file.open("xb") as made:
            try:
                made.write(content)
                made.flush()
            except OSError:
                file.unlink(missing_ok=True)
                raise
    except FileExistsError:
        raise _is_there(file) from None
    except OSError as error:
        raise Refusal(
            f"{file} cannot be written ({error.strerror or error}). Make room, or name another folder."
        ) from None
