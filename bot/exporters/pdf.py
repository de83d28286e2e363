"""The postmortem as PDF: the HTML page, laid out by WeasyPrint (the extra `pdf`) in a process of its own.

Of its own, because a long document takes seconds of a whole core, and Slack is answered within three; and what is typed
into an incident must not take Lantern's memory or its life. It is given no setting of ours, and opens no address but
`data:`. docs/decisions/0013-exports.md says why it is WeasyPrint.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from bot.domain.export import Export
from bot.domain.refusals import Refusal
from bot.exporters import html

NAME = "pdf"
SUFFIX = ".pdf"
MEDIA_TYPE = "application/pdf"
TITLE = "PDF"

#: Seconds that a document may take.
LONGEST = 120.0
#: Characters of a postmortem, some 6,000 entries: what is longer does not end in time, and nobody has to wait for that.
MOST_TEXT = 2_000_000
_HTML = "HTML prints the same page: `--format html`."
_EXTRA = f"PDF needs an extra that is not installed here: `pip install 'lantern-bot[pdf]'`. {_HTML}"
_LIBRARIES = (
    "PDF needs the library Pango, which this machine lacks: `apt install libpango-1.0-0 libpangoft2-1.0-0 "
    f"libharfbuzz-subset0`, on macOS `brew install pango`. {_HTML}"
)
#: The child's way to say so.
_NO_LIBRARIES = 3

_one_at_a_time = threading.Lock()


def is_ready() -> bool:
    """Whether the extra is installed."""
    return importlib.util.find_spec("weasyprint") is not None


def write(export: Export) -> bytes:
    """The file. Raises Refusal with what to install, or to do."""
    if not is_ready():
        raise Refusal(_EXTRA)
    length = len(export.revision.markdown)
    if length > MOST_TEXT:
        raise Refusal(
            f"This postmortem has {length:,} characters. Laid out as PDF it would take longer than the {LONGEST:g} s "
            f"that a document may take. {_HTML}"
        )
    if not _one_at_a_time.acquire(timeout=10.0):
        raise Refusal(f"Another PDF is being made just now. Try again in a minute. {_HTML}")
    try:
        return _printed(html.page(export))
    finally:
        _one_at_a_time.release()


def _printed(page: str) -> bytes:
    # Nothing of ours is in its environment: no token, no database.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LANTERN_"))}
    root = str(Path(__file__).resolve().parent.parent.parent)
    kept["PYTHONPATH"] = os.pathsep.join([root, *(each for each in sys.path if each)])
    try:
        done = subprocess.run(  # noqa: S603 (ourselves)
            [sys.executable, "-m", __spec__.name if __spec__ else "bot.exporters.pdf"],
            input=page.encode("utf-8"),
            capture_output=True,
            timeout=LONGEST,
            env=kept,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refusal(f"The PDF took longer than {LONGEST:g} s and was given up. {_HTML}") from None
    if done.returncode == _NO_LIBRARIES:
        raise Refusal(_LIBRARIES)
    if done.returncode != 0 or not done.stdout.startswith(b"%PDF-"):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Refusal(
            f"The PDF could not be made ({said[-1][:200] if said else f'status {done.returncode}'}). {_HTML}"
        )
    return done.stdout


def _lay_out() -> int:
    """Read a page on standard input and write it as PDF on standard output."""
    page = sys.stdin.buffer.read().decode("utf-8")
    try:
        weasyprint: Any = importlib.import_module("weasyprint")
        urls: Any = importlib.import_module("weasyprint.urls")
    except OSError:
        # Pango is looked for when it is imported.
        return _NO_LIBRARIES
    fetcher = urls.URLFetcher(allowed_protocols=("data",), allow_redirects=False)
    laid_out = weasyprint.HTML(string=page, url_fetcher=fetcher, media_type="print")
    sys.stdout.buffer.write(laid_out.write_pdf(pdf_tags=True))
    return 0


if __name__ == "__main__":
    sys.exit(_lay_out())
