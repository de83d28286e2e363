"""Everything about incidents in one file, and back: `lantern export`, `lantern import`.

The file is a ZIP: a line of JSON for each row, and the newest postmortem as Markdown beside it for people. The same
incidents give the same bytes, whichever engine they come from.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.domain.refusals import Refusal
from bot.store import archive
from bot.store import incident as incidents
from bot.store import postmortem as postmortems
from bot.store.db import Session
from bot.usecases.desk import Desk

_HEAD, _PEOPLE, _CHANNELS = "archive.json", "people.jsonl", "channels.jsonl"
#: What reads the file must know it.
_FORMAT = 1
#: Bytes of one unpacked file: a bomb is not unpacked.
_LARGEST = 1024**3
#: ZIP knows no moment before it; a real one would make every archive another.
_MOMENT = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Carried:
    """What went into an archive or came out of one."""

    incidents: list[int]
    #: Numbers that were here already, the same in every row.
    known: list[int]


def export(desk: Desk, file: Path, numbers: Sequence[int] = ()) -> Carried:
    """Write incidents (all of them without numbers, private ones too) to a new file. Raises Refusal, NotSaved."""
    if file.exists():
        raise Refusal(f"{file} exists. Give another name, so that no older archive is lost.")
    part = file.with_name(f"{file.name}.part")
    try:
        with desk.db.reading() as session:
            chosen = list(dict.fromkeys(numbers)) or archive.numbers(session)
            with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as packed:
                _write(session, packed, sorted(chosen))
        part.rename(file)
    except OSError as error:
        raise Refusal(
            f"{file} cannot be written ({error.strerror or error}). Make room, or name another folder."
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return Carried(sorted(chosen), [])


def _write(session: Session, packed: zipfile.ZipFile, numbers: Sequence[int]) -> None:
    _add(packed, _HEAD, json.dumps({"format": _FORMAT, "incidents": list(numbers)}) + "\n")
    named: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for number in numbers:
        found = archive.records(session, number)
        if not found:
            raise Refusal(f"There is no incident {number}. `lantern list --all` shows them.")
        lines = [archive.as_line(record) for record in found]
        for kept, rows in zip(named, archive.named_in(session, lines), strict=True):
            kept.update({row["id"]: row for row in rows})
        _add(packed, f"inc-{number:04d}/rows.jsonl", "".join(f"{line}\n" for line in lines))
        about = incidents.find_by_number(session, number)
        draft = postmortems.latest(session, about.id) if about is not None else None
        if draft is not None:
            _add(packed, f"inc-{number:04d}/postmortem.md", draft.markdown)
    for name, kept in zip((_PEOPLE, _CHANNELS), named, strict=True):
        told = (json.dumps(kept[one], sort_keys=True, ensure_ascii=False) for one in sorted(kept))
        _add(packed, name, "".join(f"{line}\n" for line in told))


def _add(packed: zipfile.ZipFile, name: str, text: str) -> None:
    about = zipfile.ZipInfo(name, _MOMENT)
    about.compress_type = zipfile.ZIP_DEFLATED
    about.external_attr = 0o600 << 16
    packed.writestr(about, text.encode())


def carry_in(desk: Desk, file: Path) -> Carried:
    """Add the incidents of an archive, all or none of them. Those that are here just so are left alone.

    Raises Refusal for a file that is no archive, and for incidents of the same number that differ; and NotSaved.
    """
    try:
        with zipfile.ZipFile(file) as packed:
            head = json.loads(_text(packed, _HEAD))
            if head.get("format") != _FORMAT:
                raise Refusal(
                    f"{file} was written by a newer Lantern (format {head.get('format')}). Update this one."
                )
            numbers = [int(number) for number in head["incidents"]]
            found = {number: _records(packed, number) for number in numbers}
            people, channels = (
                [json.loads(line) for line in _lines(packed, name)] for name in (_PEOPLE, _CHANNELS)
            )
    except FileNotFoundError:
        raise Refusal(
            f"There is no file {file}. For example: lantern import lantern-2024-06-03.zip"
        ) from None
    except OSError as error:
        raise Refusal(f"{file} cannot be read ({error.strerror or error}).") from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        NotImplementedError,
        RuntimeError,
    ):
        raise Refusal(
            f"{file} is no archive of Lantern, or it is damaged. `lantern export FILE` makes one."
        ) from None

    def act(session: Session) -> Carried:
        here = {number: archive.records(session, number) for number in numbers}
        other = [number for number in numbers if here[number] and _held(here[number]) != _held(found[number])]
        if other:
            names = ", ".join(f"inc-{number:04d}" for number in other)
            raise Refusal(
                f"{names} is here already and differs from the archive. Import into a database of its own."
            )
        new = [number for number in numbers if not here[number]]
        archive.put_named(session, people, channels)
        for number in new:
            archive.put(session, found[number])
        return Carried(new, [number for number in numbers if number not in new])

    return desk.db.write(act, is_once=True)


def _held(records: Sequence[archive.Record]) -> list[archive.Record]:
    """Records without what they leave open: an older Lantern's archive lacks columns that came later."""
    return [(name, {key: value for key, value in row.items() if value is not None}) for name, row in records]


def _records(packed: zipfile.ZipFile, number: int) -> list[archive.Record]:
    records = [archive.from_line(line) for line in _lines(packed, f"inc-{number:04d}/rows.jsonl")]
    if not records or records[0][0] != "incident" or records[0][1].get("number") != number:
        raise Refusal(f"The archive is damaged: inc-{number:04d} is not what its name says. Export it again.")
    return records


def _lines(packed: zipfile.ZipFile, name: str) -> list[str]:
    # Not splitlines(): a text may hold other line ends, which JSON leaves as they are.
    return [line for line in _text(packed, name).split("\n") if line]


def _text(packed: zipfile.ZipFile, name: str) -> str:
    if packed.getinfo(name).file_size > _LARGEST:
        raise ValueError(name)
    return packed.read(name).decode()
