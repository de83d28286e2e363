"""Reading on in a log file of this machine: what was written between two looks, and nothing before.

The first look only remembers where the file ends. Each later one reads from there, at most LARGEST bytes, of a busy
log the newest. Only regular files are opened, without waiting, and only at the path that the catalogue says.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.balancers.sample import NoReading

#: Bytes of one stretch: some 20,000 lines, which are read in a second.
LARGEST = 4 * 1024 * 1024
#: Bytes. A longer line is no line of an access log and is left out.
LONGEST_LINE = 64 * 1024
_PIECE = 1024 * 1024
_FILE = "file:"


@dataclass(frozen=True)
class Place:
    """Where a look ended: which file it was, and how far it was read."""

    path: str
    device: int
    inode: int
    offset: int

    def as_text(self) -> str:
        """As a sample keeps it."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Stretch:
    """What was written since the place before."""

    lines: tuple[str, ...]
    place: Place
    #: What is to be known of the reading, as a sentence; "" when it is nothing.
    note: str = ""


def log_path(address: str) -> Path:
    """The path of `file:/var/log/...`. Raises NoReading for anything else."""
    path = address.removeprefix(_FILE)
    if not path.startswith("/"):
        raise NoReading(
            f"`{address}` is no log that Lantern can read. Write a file of this machine: "
            "log: file:/var/log/nginx/access.log"
        )
    return Path(path)


def place_of(text: str) -> Place | None:
    """The place that a sample keeps; None when it keeps none."""
    try:
        found = json.loads(text)
        return Place(str(found["path"]), int(found["device"]), int(found["inode"]), int(found["offset"]))
    except (ValueError, TypeError, KeyError):
        return None


def read_on(path: Path, before: Place | None) -> Stretch:
    """The lines since that place; without one none, but the place where the file ends. Raises NoReading."""
    number = _opened(path)
    try:
        about = os.fstat(number)
        if before is None or before.path != str(path):
            return Stretch((), _place(path, about, about.st_size))
        begins_at, notes = before.offset, []
        if (before.device, before.inode) != (about.st_dev, about.st_ino):
            begins_at = 0
            notes.append("The log was rotated meanwhile: only what came after is counted.")
        elif about.st_size < before.offset:
            begins_at = 0
            notes.append("The log was emptied meanwhile: only what came after is counted.")
        if about.st_size - begins_at > LARGEST:
            notes.append(f"Of the log only the newest {LARGEST // 1024**2} MB are counted.")
            begins_at = about.st_size - LARGEST
        text = _read(number, begins_at, about.st_size, path)
        lines, ends_at = _lines(number, text, begins_at)
        return Stretch(lines, _place(path, about, ends_at), " ".join(notes))
    finally:
        os.close(number)


def _opened(path: Path) -> int:
    try:
        # Without waiting: opening a pipe would last until somebody writes.
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError as error:
        raise NoReading(_not_opened(path, error)) from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise NoReading(
            f"The log {path} is no file but a folder, pipe or device. Name the file that the balancer writes: "
            "log: file:/var/log/nginx/access.log"
        )
    return number


def _not_opened(path: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return (
            f"The log {path} may not be read by the user that Lantern runs as. Put that user into the log's group, "
            "for example: usermod -aG adm lantern"
        )
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return f"The log {path} is not there. Correct `log` in the catalogue, or read it on the balancer's machine."
    return f"The log {path} cannot be opened ({error.strerror}). Correct `log` in the catalogue."


def _read(number: int, begins_at: int, ends_at: int, path: Path) -> bytes:
    kept = bytearray()
    try:
        while begins_at + len(kept) < ends_at:
            at = begins_at + len(kept)
            piece = os.pread(number, min(_PIECE, ends_at - at), at)
            if not piece:
                break
            kept += piece
    except OSError as error:
        raise NoReading(f"The log {path} cannot be read ({error.strerror}).") from None
    return bytes(kept)


def _lines(number: int, text: bytes, begins_at: int) -> tuple[tuple[str, ...], int]:
    """The whole lines, and where the last of them ends: what is half written is read by the next look."""
    last = text.rfind(b"\n") + 1
    if not last:
        # Nothing ends here. A line beyond every measure is passed over, or it would be read again at every look.
        return (), begins_at + (len(text) if len(text) > LONGEST_LINE else 0)
    # A file that was emptied and grew again, or whose newest part alone is read, may begin within a line. Zeros are
    # the hole before a writer that went on at its old place.
    is_whole = begins_at == 0 or os.pread(number, 1, begins_at - 1) in (b"\n", b"\x00")
    first = 0 if is_whole else text.find(b"\n") + 1
    lines = [
        line.decode("utf-8", errors="replace").strip("\x00\r ")
        for line in text[first:last].split(b"\n")
        if 0 < len(line) <= LONGEST_LINE
    ]
    return tuple(line for line in lines if line), begins_at + last


def _place(path: Path, about: os.stat_result, offset: int) -> Place:
    return Place(str(path), about.st_dev, about.st_ino, offset)
