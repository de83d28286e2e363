"""Reading on in a log: only what came between two looks, whatever happens to the file meanwhile."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.balancers import logs
from bot.balancers.logs import Place, log_path, place_of, read_on
from bot.balancers.sample import NoReading


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_text("old 1\nold 2\n")
    return path


def place(path: Path) -> Place:
    return read_on(path, None).place


def write(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text.encode() if isinstance(text, str) else text)


def test_the_first_look_reads_nothing_and_the_next_what_came_since(log: Path) -> None:
    first = read_on(log, None)
    assert first.lines == ()
    write(log, "new 1\nnew 2\n")
    second = read_on(log, first.place)
    assert (second.lines, second.note) == (("new 1", "new 2"), "")
    assert read_on(log, second.place).lines == ()


def test_a_line_half_written_is_read_when_it_is_whole(log: Path) -> None:
    at = place(log)
    write(log, "new 1\nnew")
    half = read_on(log, at)
    assert half.lines == ("new 1",)
    write(log, " 2\n")
    assert read_on(log, half.place).lines == ("new 2",)


def test_a_look_that_began_within_a_line_leaves_that_line_out(log: Path) -> None:
    write(log, "half of a ")
    at = place(log)
    write(log, "line\nnew 1\n")
    assert read_on(log, at).lines == ("new 1",)


def test_a_place_survives_being_kept_as_text(log: Path) -> None:
    at = place(log)
    assert place_of(at.as_text()) == at
    for nonsense in (
        "",
        "[]",
        "{}",
        '{"path": 1}',
        '{"path":"/x","device":1,"inode":null,"offset":2}',
        "null",
    ):
        assert place_of(nonsense) is None


def test_a_rotated_log_is_noticed_and_said(log: Path) -> None:
    at = place(log)
    write(log, "lost\n")
    log.rename(log.with_suffix(".1"))
    log.write_text("after 1\nafter 2\n")
    found = read_on(log, at)
    assert found.lines == ("after 1", "after 2")
    assert found.note == "The log was rotated meanwhile: only what came after is counted."


def test_an_emptied_log_is_noticed_and_said(log: Path) -> None:
    at = place(log)
    os.truncate(log, 0)
    write(log, "after\n")
    found = read_on(log, at)
    assert found.lines == ("after",)
    assert found.note == "The log was emptied meanwhile: only what came after is counted."


def test_a_log_emptied_under_a_writer_that_goes_on_at_its_place_is_read(log: Path) -> None:
    with log.open("r+b") as writer:
        writer.seek(0, os.SEEK_END)
        at = place(log)
        os.truncate(log, 0)
        writer.write(b"new 1\nnew 2\n")
    # The file has a hole of zeros before it.
    assert read_on(log, at).lines == ("new 1", "new 2")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A limit of a kilobyte, so that a test needs no gigabyte."""
    monkeypatch.setattr(logs, "LARGEST", 1024)
    yield


def test_of_a_busy_log_the_newest_part_is_read_and_it_is_said(log: Path, small: None) -> None:
    at = place(log)
    write(log, "".join(f"line {number:04}\n" for number in range(1000)))
    found = read_on(log, at)
    assert 90 <= len(found.lines) <= 102
    assert found.lines[-1] == "line 0999"
    assert found.lines[0] == f"line {1000 - len(found.lines):04}"
    assert "only the newest" in found.note


def test_a_huge_file_costs_no_more_than_its_newest_part(tmp_path: Path) -> None:
    path = tmp_path / "huge.log"
    path.touch()
    at = place(path)
    # A hole of two terabytes: nobody could read that.
    os.truncate(path, 2 * 1024**4)
    write(path, "\nnew\n")
    assert read_on(path, at).lines[-1] == "new"


def test_a_line_of_ten_megabytes_is_passed_over(log: Path) -> None:
    at = place(log)
    write(log, b"x" * 10 * 1024**2)
    endless = read_on(log, at)
    assert endless.lines == ()
    write(log, "\nnew\n")
    assert read_on(log, endless.place).lines == ("new",)


def test_bytes_that_are_no_text_are_no_trouble(log: Path) -> None:
    at = place(log)
    write(log, bytes(range(256)) * 50 + b"\nnew\n")
    assert read_on(log, at).lines[-1] == "new"


def test_what_is_no_file_is_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(NoReading, match="is no file but a folder, pipe or device"):
            read_on(path, None)


def test_a_log_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none.log", tmp_path / "none" / "none.log"):
        with pytest.raises(NoReading, match="is not there"):
            read_on(path, None)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(NoReading, match="cannot be opened"):
        read_on(tmp_path / "loop", None)


def test_a_log_that_may_not_be_read_says_how_to_allow_it(log: Path) -> None:
    log.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        with pytest.raises(NoReading, match="usermod -aG adm lantern"):
            read_on(log, None)
    finally:
        if is_root:
            os.seteuid(0)


def test_only_paths_from_the_root_are_logs() -> None:
    assert log_path("file:/var/log/nginx/access.log") == Path("/var/log/nginx/access.log")
    assert log_path("/var/log/nginx/access.log") == Path("/var/log/nginx/access.log")
    for wrong in ("file:access.log", "http://10.0.0.5/access.log", "syslog:server=10.0.0.1", "../x"):
        with pytest.raises(NoReading, match="is no log that Lantern can read"):
            log_path(wrong)
