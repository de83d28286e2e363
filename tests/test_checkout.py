"""The commit that a folder of runbooks is checked out at, read as git itself would say it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from bot.runbooks.checkout import commit_of
from bot.settings import shipped
from bot.shelves import checkout, runbook_shelf
from tests.conftest import missing
from tests.houses import Town, said
from tests.test_runbooks import GOOD, write

GIT = shutil.which("git") or ""
TODAY = date(2026, 11, 23)


def git(folder: Path, *words: str) -> str:
    """What git says, with nobody's settings but these."""
    who = {
        f"GIT_{role}_{what}": "ana@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        [GIT, "-c", "protocol.file.allow=always", *words],
        cwd=folder,
        env={**os.environ, **who, **alone},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A checkout with one runbook in a folder of it, and two commits."""
    if not GIT:
        missing("git is not installed.")
    top = tmp_path / "ops"
    top.mkdir()
    git(top, "init", "-q", "-b", "main")
    write(top / "runbooks", GOOD)
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    git(top, "commit", "-qm", "second", "--allow-empty")
    return top


def as_it_is(repo: Path) -> Path:
    return repo


def in_a_folder(repo: Path) -> Path:
    return repo / "runbooks"


def packed(repo: Path) -> Path:
    git(repo, "pack-refs", "--all")
    assert not (repo / ".git" / "refs" / "heads" / "main").exists()
    return repo


def detached(repo: Path) -> Path:
    git(repo, "checkout", "-q", "--detach", "HEAD~1")
    return repo


def on_a_branch_with_a_slash(repo: Path) -> Path:
    git(repo, "checkout", "-qb", "ana/night-shift", "HEAD~1")
    return repo


def in_a_worktree(repo: Path) -> Path:
    git(repo, "worktree", "add", "-q", "-b", "other", str(repo.parent / "beside"), "HEAD~1")
    return repo.parent / "beside" / "runbooks"


def in_a_packed_worktree(repo: Path) -> Path:
    place = in_a_worktree(repo)
    git(repo, "pack-refs", "--all")
    return place


def in_a_submodule(repo: Path) -> Path:
    outer = repo.parent / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "submodule", "--quiet", "add", str(repo), "pages")
    return outer / "pages" / "runbooks"


def behind_a_link(repo: Path) -> Path:
    (repo.parent / "current").symlink_to(repo / "runbooks")
    return repo.parent / "current"


@pytest.mark.parametrize(
    "place",
    [
        as_it_is,
        in_a_folder,
        packed,
        detached,
        on_a_branch_with_a_slash,
        in_a_worktree,
        in_a_packed_worktree,
        in_a_submodule,
        behind_a_link,
    ],
    ids=lambda place: place.__name__,
)
def test_the_commit_is_the_one_git_names(repo: Path, place: Callable[[Path], Path]) -> None:
    folder = place(repo)
    assert len(commit_of(folder)) == 40
    assert commit_of(folder) == git(folder, "rev-parse", "HEAD")


@pytest.mark.parametrize(
    ("head", "more"),
    [
        ("ref: refs/heads/main\n", {}),
        ("ref: refs/heads/.invalid\n", {}),
        ("ref: refs/heads/../../../secret\n", {}),
        ("ref: refs/heads/main\n", {"refs/heads/main": "ref: refs/heads/main\n"}),
        ("ref: refs/heads/main\n", {"packed-refs": "nonsense\n0123 refs/heads/main\n"}),
        ("0123456789\n", {}),
        ("\xff\xfe", {}),
        ("", {}),
    ],
    ids=[
        "no commit yet",
        "reftable",
        "out of git's folder",
        "in a circle",
        "torn pack",
        "short",
        "no text",
        "empty",
    ],
)
def test_no_commit_is_said_where_there_is_none(tmp_path: Path, head: str, more: dict[str, str]) -> None:
    files = {"HEAD": head, "../secret": "a" * 40, **more}
    for name, content in files.items():
        path = tmp_path / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="latin-1")
    assert commit_of(tmp_path) == ""


def test_a_folder_without_git_has_no_commit_and_no_error(tmp_path: Path) -> None:
    assert commit_of(tmp_path / "nowhere") == ""
    (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert commit_of(tmp_path) == ""
    (tmp_path / ".git").write_text("not git's\n")
    assert commit_of(tmp_path) == ""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / ".git").unlink()
    (tmp_path / ".git").symlink_to("pipe")
    assert commit_of(tmp_path) == ""


def test_the_shipped_runbooks_go_with_lanterns_own_version() -> None:
    assert checkout(shipped("runbooks")) == ""


def test_runbooks_are_read_again_when_the_checkout_moves(repo: Path) -> None:
    shelf = runbook_shelf(repo / "runbooks", lambda: TODAY, look_every=0.0)
    assert shelf()["lb-good"].commit == git(repo, "rev-parse", "HEAD")
    git(repo, "checkout", "-q", "--detach", "HEAD~1")
    assert shelf()["lb-good"].commit == git(repo, "rev-parse", "HEAD")


def test_a_run_is_pinned_to_the_commit_and_says_it_wherever_it_is_shown(sqlite_url: str, repo: Path) -> None:
    commit = git(repo, "rev-parse", "HEAD")
    with Town(sqlite_url, settings={"runbooks": repo / "runbooks"}) as town:
        channel = town.opened()
        assert f"From commit `{commit[:12]}`" in said(town.ana.types("/runbook list", channel))
        town.ana.types("/runbook start lb-good", channel)
        town.settled()
        # The checkout moves on; the run stays where it began.
        write(repo / "runbooks", GOOD.replace("All is well", "All is other"))
        git(repo, "commit", "-qam", "third")
        card = next(one for one in town.ana.messages(channel) if ":book: Runbook" in one["text"])
        assert f", commit {commit[:12]}" in str(card["blocks"])
        (entry,) = [one.text for one in town.entries() if one.text.startswith("Runbook lb-good started")]
        assert entry.endswith(f", commit {commit[:12]})")
        town.ana.types("/incident close now", channel)
        town.settled()
        assert f", commit {commit[:12]}, followed by" in town.draft()
