"""python -m tests.fuzz.parsers when --seconds 120: a coverage-guided fuzzer (atheris) on a reader, or on `all` in turn.

What is read may be refused with a Refusal (Malformed for a request's body), and nothing else may be raised; what
is promised of the result must hold; 10,000 characters are read in 50 ms.  Needs `pip install -e .[fuzz]`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import atheris

from bot.domain.refusals import Refusal
from tests.fuzz.texts import TOKENS
from tests.nonsense import NONSENSE

with atheris.instrument_imports(include=["bot"]):
    from tests.fuzz import promises

#: Seconds of processor time that 10,000 characters may take, and how long a text gets by pumping.
_SLOW, _LONGEST = 0.05, 10_000
#: Where most of the time is another's: markdown-it's, PyYAML's.
_PATIENT = {"markdown": 2.0, "mrkdwn": 2.0, "runbook": 2.0}
_ROOT = Path(__file__).resolve().parents[2]


class Fuzzed:
    """One reader under the fuzzer: counts runs, and prints each sort of finding once."""

    def __init__(self, name: str, promise: Callable[[str], None]) -> None:
        self._name, self._promise = name, promise
        self._limit = _PATIENT.get(name, _SLOW)
        self.runs = 0
        self.slowest = 0.0
        self.found: set[str] = set()

    def __call__(self, content: bytes) -> None:
        self.runs += 1
        text = _text(content)
        self._try(text)
        if self.runs % 20 == 0 and len(text) > 2:
            self._try(_pumped(content, text))

    def _try(self, text: str) -> None:
        began = time.thread_time()
        try:
            self._promise(text)
        except (Refusal, promises.Malformed):
            pass
        except Exception as broke:  # noqa: BLE001 (whatever escapes is what is looked for)
            frame = traceback.extract_tb(broke.__traceback__)[-1]
            self._note(
                f"{type(broke).__name__} at {Path(frame.filename).name}:{frame.lineno}: {broke}"[:300], text
            )
        took = time.thread_time() - began
        self.slowest = max(self.slowest, took)
        if took > self._limit and self._takes(text) > self._limit:
            self._note(f"slow at {len(text)} characters", text, f" {took * 1000:.0f} ms")

    def _takes(self, text: str) -> float:
        """Seconds of the quickest of three more runs."""
        spans = []
        for _ in range(3):
            began = time.thread_time()
            try:
                self._promise(text)
            except (Refusal, promises.Malformed):
                pass
            except Exception:  # noqa: BLE001 (told above)
                return 0.0
            spans.append(time.thread_time() - began)
        return min(spans)

    def _note(self, sort: str, text: str, more: str = "") -> None:
        kind = "slow" if sort.startswith("slow") else sort.split(": ")[0]
        if kind not in self.found:
            self.found.add(kind)
            print(f"FOUND {self._name}: {sort}{more}\n      {text[:400]!r}", flush=True)


def _text(content: bytes) -> str:
    return content[:_LONGEST].decode("utf-8", "surrogateescape")


def _pumped(content: bytes, text: str) -> str:
    """The text with a piece of it many times over: what makes a careless expression slow."""
    first = content[0] % len(text)
    last = min(len(text), first + 1 + content[-1] % 8)
    piece = text[first:last]
    return (text[:first] + piece * (_LONGEST // len(piece)) + text[last:])[:_LONGEST]


def _seeds(folder: Path) -> None:
    written = [one.read_bytes() for one in sorted((_ROOT / "runbooks").glob("lb-*.md"))[:3]]
    texts = [*promises.SEEDS, *TOKENS, *(repr(found) for _, found in NONSENSE[:40])]
    written += [one.encode("utf-8", "surrogatepass") for one in texts]
    for number, content in enumerate(written):
        (folder / f"{number:04}").write_bytes(content)


def _run(name: str, seconds: int, seed: int) -> None:
    fuzzed = Fuzzed(name, promises.PROMISES[name])
    with tempfile.TemporaryDirectory() as folder:
        _seeds(Path(folder))
        end = time.monotonic() + seconds

        def once(content: bytes) -> None:
            fuzzed(content)
            if time.monotonic() > end:
                told = f"{fuzzed.runs} runs, slowest {fuzzed.slowest * 1000:.0f} ms, {len(fuzzed.found)} findings"
                print(f"{name}: {told}", flush=True)
                end_at_once(1 if fuzzed.found else 0)

        options = [
            f"-seed={seed}",
            f"-max_len={_LONGEST}",
            "-len_control=20",
            "-verbosity=0",
            "-print_final_stats=0",
        ]
        atheris.Setup([sys.argv[0], *options, folder], once)
        atheris.Fuzz()


def end_at_once(status: int) -> None:
    """Leave without libFuzzer's own farewell, which takes an early end for a crash."""
    sys.stdout.flush()
    os._exit(status)


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz.parsers")
    asked.add_argument("name", choices=[*promises.PROMISES, "all"])
    asked.add_argument("--seconds", type=int, default=120)
    asked.add_argument("--seed", type=int, default=3)
    options = asked.parse_args()
    if options.name != "all":
        _run(options.name, options.seconds, options.seed)
    given = ["--seconds", str(options.seconds), "--seed", str(options.seed)]
    ends = [
        subprocess.run([sys.executable, "-m", "tests.fuzz.parsers", name, *given], check=False).returncode
        for name in promises.PROMISES
    ]
    return max(ends)


if __name__ == "__main__":
    sys.exit(main())
