"""`lantern balancer check | judge | try`: the balancer in a terminal, without Slack and without a database."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bot.balancers.kinds import gather_kinds, kind_of
from bot.balancers.sample import Sample
from bot.catalogue import read_catalogue
from bot.domain.bars import bars
from bot.domain.catalogue import Balancer
from bot.domain.checks.given import seen
from bot.domain.pool import ENOUGH, Pool
from bot.domain.refusals import Refusal
from bot.domain.verdict import Verdict, facts, judge
from bot.settings import read_settings
from bot.trials.addresses import wrong_addresses
from bot.trials.haproxy import try_haproxy
from bot.trials.nginx import try_nginx

#: Bytes of a file that is read.
_LARGEST = 16 * 1024 * 1024


def add_commands(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `balancer` and what it can do."""
    balancer = commands.add_parser(
        "balancer", help="read a load balancer, judge readings, try a configuration"
    )
    words = balancer.add_subparsers(required=True, metavar="word")

    check = words.add_parser("check", help="read the balancer of a service in the catalogue, now")
    check.add_argument("service", nargs="?", default="", help="name of the service (default: the only one)")
    check.add_argument(
        "--window", type=float, default=20.0, help="seconds between the two looks (default 20)"
    )
    check.add_argument("--env-file", type=Path, default=None, help="read settings from this file too")
    check.set_defaults(deed=_check)

    judged = words.add_parser("judge", help="judge readings that were saved to files")
    judged.add_argument("--before", nargs="+", type=Path, default=[], help="files of the first sample")
    judged.add_argument("--after", nargs="+", type=Path, required=True, help="files of the second sample")
    judged.add_argument("--window", type=float, help="seconds between the samples, if known (default 20)")
    _add_pool(judged)
    judged.set_defaults(deed=_judge)

    tried = words.add_parser(
        "try", help="try a configuration before it is deployed (status 1: not as intended)"
    )
    tried.add_argument("file", type=Path, help="haproxy.cfg, nginx.conf, or the output of nginx -T")
    tried.add_argument(
        "--kind", choices=("haproxy", "nginx"), help="what the file is for (default: by its content)"
    )
    tried.add_argument("--path", default="/", help="path of the requests (default /)")
    tried.add_argument("--program", default="", help="the balancer to start (default: this machine's)")
    _add_pool(tried)
    tried.set_defaults(deed=_try)


def _add_pool(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", required=True, help="backend, upstream or cluster, for example be_auth")
    parser.add_argument(
        "--intended",
        nargs="*",
        default=[],
        metavar="SERVER=PART",
        help="what servers should get (default: equal)",
    )
    parser.add_argument(
        "--address",
        nargs="*",
        default=[],
        metavar="SERVER=HOST:PORT",
        help="the servers' addresses, if known",
    )


def _intended(parsed: argparse.Namespace) -> dict[str, float]:
    found = {}
    for name, part in _pairs(parsed.intended, "--intended auth1=2 auth2=1"):
        try:
            found[name] = float(part)
        except ValueError:
            raise Refusal(f"`{name}={part}` needs a number, for example --intended auth1=2 auth2=1") from None
    return found


def _pairs(words: list[str], example: str) -> list[tuple[str, str]]:
    pairs = []
    for word in words:
        name, is_pair, value = word.partition("=")
        if not (name and is_pair and value):
            raise Refusal(f"`{word}` is no pair. For example: {example}")
        pairs.append((name, value))
    return pairs


def _told(deed: Callable[[], int]) -> int:
    try:
        return deed()
    except Refusal as refusal:
        print(refusal.sentence, file=sys.stderr)
        return 2


def _shown(pool: Pool, verdict: Verdict) -> int:
    print(verdict.sentence)
    print()
    print(bars(pool))
    print(f"\n{pool.kind} {pool.backend}, {pool.window:.0f} s, {pool.total:,} requests")
    if verdict.runbook_id:
        print(f"Runbook: {verdict.runbook_id}")
    return 1 if verdict.is_bad else 0


def _check(parsed: argparse.Namespace) -> int:
    settings = read_settings(parsed.env_file)

    def deed() -> int:
        if settings.catalogue is None:
            raise Refusal("There is no catalogue. Write one and name it: LANTERN_CATALOGUE=catalogue.yaml")
        services, problems = read_catalogue(settings.catalogue)
        for problem in problems:
            print(problem, file=sys.stderr)
        named = [one for one in services.values() if one.balancers]
        service = services.get(parsed.service.lower()) or (
            named[0] if len(named) == 1 and not parsed.service else None
        )
        if service is None or not service.balancers:
            known = ", ".join(one.name for one in named) or "none"
            raise Refusal(f"Name a service with a balancer. The catalogue has: {known}.")
        return max(_look(balancer, parsed.window) for balancer in service.balancers)

    return _told(deed)


def _look(balancer: Balancer, window: float) -> int:
    kind = kind_of(balancer.kind)
    first = last = kind.look(balancer)
    ends_at = time.monotonic() + max(60.0, window)
    while True:
        time.sleep(window)
        last = kind.look(balancer, last)
        pool = kind.picture(first, last, balancer)
        if seen(pool) >= ENOUGH or pool.is_restarted or time.monotonic() + window > ends_at:
            return _shown(pool, judge(pool))


def _judge(parsed: argparse.Namespace) -> int:
    def deed() -> int:
        kind, after = _sample(parsed.after, parsed.window or 20.0)
        before = _sample(parsed.before, 0.0)[1] if parsed.before else Sample(0.0, {})
        balancer = Balancer(
            kind,
            "file:/",
            parsed.backend,
            intended=_intended(parsed),
            addresses=dict(_pairs(parsed.address, "auth1=10.0.0.1:80")),
        )
        pool = kind_of(kind).picture(before, after, balancer)
        if pool.is_restarted and parsed.window is None:
            # Nobody said how far apart they are, so that a balancer younger than that proves nothing.
            pool = replace(
                kind_of(kind).picture(before, replace(after, at=1.0), balancer), window=pool.window
            )
        return _shown(pool, judge(pool))

    return _told(deed)


def _sample(files: list[Path], at: float) -> tuple[str, Sample]:
    texts: dict[str, str] = {}
    kinds: dict[str, int] = {}
    for path in files:
        text = _text(path)
        for name, kind in gather_kinds().items():
            key = kind.sniff(text)
            if key:
                # The same log in two formats: the longer one.
                texts[key] = max(texts.get(key, ""), text, key=len)
                kinds[name] = kinds.get(name, 0) + 1
                break
        else:
            known = ", ".join(sorted(gather_kinds()))
            raise Refusal(f"{path} is no answer of a balancer that Lantern knows ({known}).")
    return max(kinds, key=lambda name: kinds[name]), Sample(at, texts)


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise Refusal(f"{path} is larger than {_LARGEST // 1024**2} MB.")
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Refusal(f"{path} cannot be read ({error.strerror}).") from None


def _try(parsed: argparse.Namespace) -> int:
    def deed() -> int:
        text = _text(parsed.file)
        kind = parsed.kind or ("nginx" if "upstream " in text and "{" in text else "haproxy")
        program = parsed.program or _program(kind)
        trial = try_nginx if kind == "nginx" else try_haproxy
        pool, addresses = trial(
            text, parsed.backend, program=program, path=parsed.path, intended=_intended(parsed)
        )
        verdict = judge(pool)
        wrong = list(wrong_addresses(addresses, dict(_pairs(parsed.address, "auth1=10.0.0.1:80"))))
        said = [facts(pool, verdict.findings)] if verdict.findings else []
        print(_tried(pool, [*said, *wrong]))
        print()
        print(bars(pool))
        return 1 if said or wrong else 0

    return _told(deed)


def _tried(pool: Pool, said: list[str]) -> str:
    if said:
        return f"Not as intended: {'; '.join(said)}."
    off = max((abs(pool.share(s) - pool.fair_share(s)) for s in pool.servers), default=0.0)
    return f"As intended: {len(pool.servers)} servers, each within {max(1, round(off * 100 + 0.5))} % of its share."


def _program(kind: str) -> str:
    # Debian's are in /usr/sbin, which people's PATH may lack.
    found = shutil.which(kind) or shutil.which(kind, path="/usr/sbin:/usr/local/sbin:/sbin")
    if found is None:
        raise Refusal(f"{kind} is not installed here. Install it, or name it: --program /usr/sbin/{kind}")
    return found
