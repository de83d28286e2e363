"""The commit that a folder of runbooks is checked out at.

Read by hand from git's own files (gitrepository-layout(5)) and not by the program: a container need not have git, git
refuses a checkout that belongs to another user, and nothing that somebody put into a checkout's configuration is run.
"""

from __future__ import annotations

import re
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REF = re.compile(r"ref: (refs/[^\s~^:?*\[\\]{1,250})")
#: Bytes of a file that names one thing, and of the file that names every branch.
_SMALL, _PACKED = 4096, 16 * 1024 * 1024


def commit_of(folder: Path) -> str:
    """The commit, in 40 or 64 hex digits; "" outside a git checkout, before its first commit, and when in doubt."""
    try:
        place = folder.resolve()
        for one in (place, *place.parents):
            git = one / ".git"
            if git.exists():
                return _head(_git_folder(git))
    except (OSError, RuntimeError, ValueError):
        # Somebody is just changing it, or it may not be read: the files' own digests still say what was followed.
        pass
    return ""


def _git_folder(git: Path) -> Path:
    """Where HEAD is: `.git` itself, or what the `.git` file of a worktree or a submodule points at."""
    if git.is_dir():
        return git
    written = _read(git, _SMALL)
    return git.parent / written.removeprefix("gitdir:").strip() if written.startswith("gitdir:") else git


def _head(git: Path) -> str:
    head = _read(git / "HEAD", _SMALL).strip()
    ref = _REF.fullmatch(head)
    if ref is None:
        return head if _COMMIT.fullmatch(head) else ""
    name = ref[1]
    if ".." in name:
        return ""
    common = git / (_read(git / "commondir", _SMALL).strip() or ".")
    for place in (git, common):
        loose = _read(place / name, _SMALL).strip()
        if _COMMIT.fullmatch(loose):
            return loose
    for line in _read(common / "packed-refs", _PACKED).splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name and _COMMIT.fullmatch(commit):
            return commit
    return ""


def _read(path: Path, most: int) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        return file.read(most).decode("utf-8", "replace")
