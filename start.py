#!/usr/bin/env python3
"""Set Lantern up on a machine that has nothing but Python 3.11 or later, and run it.

    python3 start.py demo     try it in the browser
    python3 start.py test     pass the tests

Everything else goes to the `lantern` command: `python3 start.py check`, `python3 start.py serve`.
It uses the virtual environment that is active, or makes .venv beside this file.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):
        print(f"Lantern needs Python 3.11 or later; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    if not arguments:
        print(__doc__, file=sys.stderr)
        return 2
    is_test = arguments[0] == "test"
    python = _python()
    if python is None:
        return 1
    _install(python, extra="test" if is_test else "postgres")
    if is_test:
        # Four workers on two cores: much of the time a test waits for a clock, a browser or a disk.
        given = arguments[1:] or ["-n", "4", "--dist", "loadgroup"]
        # The tests start Lantern dozens of times: it is compiled once, whatever the environment says.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
        return subprocess.call([python, "-m", "pytest", *given], cwd=ROOT, env=environment)
    # In place of this process: signals reach Lantern itself, and so does its end whoever waits for it.
    os.chdir(ROOT)
    os.execv(python, [python, "-m", "bot", *arguments])


def _python() -> str | None:
    """The interpreter of the active virtual environment, else of .venv, which is made when missing."""
    if sys.prefix != sys.base_prefix:
        return sys.executable
    folder = ROOT / ".venv"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        print("Making a virtual environment in .venv ...", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", str(folder)], check=False)
        if made.returncode != 0:
            print(
                "Python could not make a virtual environment. On Debian and Ubuntu its module is a package "
                "of its own: apt install python3-venv",
                file=sys.stderr,
            )
            return None
    return str(python)


def _install(python: str, *, extra: str) -> None:
    """Install what is pinned in constraints.txt, once for each state of the two files that say what."""
    state = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt"):
        state.update((ROOT / name).read_bytes())
    wanted = f"{state.hexdigest()} {extra}"
    prefix = subprocess.run(
        [python, "-c", "import sys; print(sys.prefix)"], check=True, capture_output=True, text=True
    ).stdout.strip()
    stamp = Path(prefix) / f".lantern-installed-{extra}"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    print("Installing (the first time takes a minute) ...", flush=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}[{extra}]"], check=True)
    stamp.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as failed:
        print(f"That did not work: {' '.join(map(str, failed.cmd[:6]))} ...", file=sys.stderr)
        sys.exit(1)
