"""Reading a balancer, and telling the channel what it came to: sentence, picture, evidence."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bot.balancers.kinds import kind_of
from bot.balancers.sample import NoReading, Sample
from bot.domain.bars import bars, described
from bot.domain.catalogue import Balancer
from bot.domain.checks.given import seen
from bot.domain.outcomes import Refused
from bot.domain.pool import ENOUGH, Pool
from bot.domain.reading import figures_of, shares
from bot.domain.verdict import judge
from bot.picture import draw
from bot.slack import cards
from bot.slack.post import Answer, Post
from bot.store.errand import Errand, PutBack
from bot.usecases import deliveries
from bot.usecases.balancer import asked_balancer, asked_step, reading_taken, reading_with_former

#: Looks at most, however short the time between them is.
_LOOKS = 8


def read_balancer(post: Post, errand: Errand) -> None:
    """Look, come back after a while, look again; then judge. A balancer that cannot be read is said at once."""
    args = errand.work.args
    incident_id, which, by = int(args["incident_id"]), int(args["which"]), str(args["by"])
    asked = asked_balancer(post.desk, incident_id, which)
    if asked is None:
        return
    _, service, balancer = asked
    looks = _looks(post, errand, balancer)
    found, evidence = _judged(balancer, looks)
    found["service"] = service.name
    errand.step(
        "judge",
        lambda: {},
        then=lambda session, _: reading_taken(
            post.desk, session, incident_id, found, evidence, by=by, step=asked_step(args)
        ),
    )


def _looks(post: Post, errand: Errand, balancer: Balancer) -> list[dict[str, Any]]:
    """The looks so far; raises PutBack while there are not enough."""
    options = post.desk.options
    look_for = float(errand.work.args.get("window") or options.look_for)
    looks: list[dict[str, Any]] = []
    for at in range(_LOOKS):
        if looks:
            waited = post.desk.now_for_outbox().timestamp() - looks[-1]["at"]
            if waited < look_for - 0.05 and not errand.has_done(f"look {at}"):
                raise PutBack(timedelta(seconds=look_for - waited))
        before = _sample(looks[-1]) if looks else None
        look = errand.step(f"look {at}", partial(_look, post, balancer, before))
        looks.append(look)
        if "refused" in look or (at and _is_enough(balancer, looks, options.look_at_most)):
            return looks
    return looks


def _look(post: Post, balancer: Balancer, before: Sample | None) -> Answer:
    now = post.desk.now_for_outbox().timestamp()
    try:
        sample = kind_of(balancer.kind).look(balancer, before)
    except NoReading as trouble:
        return {"at": now, "refused": trouble.sentence}
    return {"at": now, "texts": dict(sample.texts)}


def _is_enough(balancer: Balancer, looks: list[dict[str, Any]], at_most: float) -> bool:
    if looks[-1]["at"] - looks[0]["at"] >= at_most - 1:
        return True
    try:
        pool = _pool(balancer, *_pair(balancer, looks))
    except NoReading:
        return True
    return seen(pool) >= ENOUGH and not pool.is_restarted


def _pair(balancer: Balancer, looks: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The longest pair of looks that no reload lies between; else the last two."""
    for first in looks[:-1]:
        if not _pool(balancer, first, looks[-1]).is_restarted:
            return first, looks[-1]
    return looks[-2], looks[-1]


def _pool(balancer: Balancer, first: dict[str, Any], last: dict[str, Any]) -> Pool:
    return kind_of(balancer.kind).picture(_sample(first), _sample(last), balancer)


def _sample(look: dict[str, Any]) -> Sample:
    return Sample(look["at"], look["texts"])


def _judged(balancer: Balancer, looks: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The reading's columns, and its evidence."""
    found: dict[str, Any] = {
        "kind": balancer.kind,
        "backend": balancer.backend,
        "began_at": _moment(looks[0]["at"]),
        "taken_at": _moment(looks[-1]["at"]),
        "is_bad": False,
        "is_judged": False,
        "runbook_id": "",
        "shares": "",
        "figures": {},
    }
    evidence = {"balancer": asdict(balancer), "looks": [one for one in looks if "texts" in one][-2:]}
    if "refused" in looks[-1]:
        return {**found, "sentence": looks[-1]["refused"]}, {**evidence, "looks": []}
    try:
        first, last = _pair(balancer, looks)
        pool = _pool(balancer, first, last)
    except NoReading as trouble:
        return {**found, "sentence": trouble.sentence}, {**evidence, "looks": []}
    verdict = judge(pool)
    found |= {
        "sentence": verdict.sentence,
        "is_bad": verdict.is_bad,
        "is_judged": verdict.is_judged,
        "runbook_id": verdict.runbook_id,
        "shares": shares(pool),
        "figures": figures_of(pool),
    }
    return found, {**evidence, "looks": [first, last]}


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


def post_reading(post: Post, errand: Errand) -> None:
    """The sentence with its buttons, the picture, and the raw answers as a file in the thread."""
    incident_id = int(errand.work.args["incident_id"])
    about = deliveries.incident(post.desk, incident_id)
    if about.channel_id is None or about.is_archived:
        return
    reading, former, evidence = reading_with_former(post.desk, int(errand.work.args["reading_id"]))
    looks = evidence["looks"]
    pool = None
    if looks:
        balancer = Balancer(**evidence["balancer"])
        pool = _pool(balancer, *looks)
    has_runbook = reading.runbook_id in post.desk.runbooks()
    text, blocks = cards.reading_card(
        about, reading, former, bars(pool) if pool else "", has_runbook=has_runbook
    )
    sent = post.message(errand, "verdict", about.channel_id, text, blocks)
    if pool is None:
        return
    when = f"{reading.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    below = f"{reading.kind} {reading.backend}, {pool.window:.0f} s, {pool.total:,} requests, {when}"
    try:
        post.file(
            errand,
            "picture",
            about.channel_id,
            f"{about.slug}-{reading.backend}-{reading.id}.png",
            draw(pool, judge(pool), below),
            title=f"Traffic of {reading.backend}",
            alt=described(pool),
        )
        raw = json.dumps(evidence, indent=1, sort_keys=True).encode()
        post.file(
            errand,
            "evidence",
            about.channel_id,
            f"{about.slug}-{reading.backend}-{reading.id}.json",
            raw,
            title="What the balancer answered",
            thread_ts=str(sent["ts"]),
        )
    except Refused as refused:
        # The sentence is in the channel, with its bars in letters; a picture is not worth an alarm.
        if refused.word not in {"missing_scope", "storage_limit_reached", "file_uploads_disabled"}:
            raise


SENDERS = {"BalancerAsked": read_balancer, "BalancerRead": post_reading}
