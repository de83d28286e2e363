"""The verdict on outputs captured from Traefik and Caddy elsewhere, and on shapes of AWS' answers: a folder beside the
project, where there is one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.balancers import aws
from bot.balancers.kinds import kind_of
from bot.balancers.sample import Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause, Culprit
from bot.domain.verdict import Verdict, judge

SAMPLES = Path(__file__).parents[2] / "shared" / "lb" / "samples"

pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(),
    reason=f"The captured outputs are not beside the project ({SAMPLES.name} is absent).",
)

TRAEFIK = {
    "t00-healthy": None,
    "t01-wrong-weights": Cause.WEIGHTS,
    "t02-sticky-pinned": Cause.PINNED,
    "t03-check-path-some": Cause.HEALTH_CHECK,
    "t03b-check-path-all": Cause.HEALTH_CHECK,
    "t04-closed-port-one": Cause.UNREACHABLE,
}
CADDY = {
    "c00-healthy": None,
    "c00-healthy-random": None,
    "c01-wrong-weights": Cause.WEIGHTS,
    "c02-first": Cause.FIRST,
    "c03-check-path-some": Cause.HEALTH_CHECK,
}
CASES = [("traefik", name) for name in TRAEFIK] + [("caddy", name) for name in CADDY]
#: Corrected, but the old release still fails the check and is out.
ONE_OUT = {"t03-check-path-some", "c03-check-path-some"}


def judged(kind: str, folder: str, state: str, *, with_file: bool = True) -> Verdict:
    """The verdict on a folder's files, told apart by their content."""
    here = SAMPLES / kind / folder
    reader = kind_of(kind)
    texts: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for path in sorted(here.iterdir()):
        is_first = f"{state}-t0" in path.name
        if state in path.name and (with_file or path.name != f"Caddyfile.{state}"):
            text = path.read_text(encoding="utf-8")
            texts[0 if is_first else 1][reader.sniff(text)] = text
    before, after = texts
    return judge(reader.picture(Sample(0, before), Sample(8, after), Balancer(kind, "http://x", "auth")))


def test_every_captured_folder_is_in_the_table() -> None:
    for kind, known in (("traefik", TRAEFIK), ("caddy", CADDY)):
        assert {path.name for path in (SAMPLES / kind).iterdir() if path.is_dir()} == set(known)


@pytest.mark.parametrize(("kind", "folder"), CASES)
def test_the_fault_is_named(kind: str, folder: str) -> None:
    wanted = {**TRAEFIK, **CADDY}[folder]
    told = judged(kind, folder, "broken")
    assert (told.findings[0].cause if told.findings else None) is wanted, told.sentence
    assert told.is_bad == (wanted is not None), told.sentence
    if wanted is None:
        assert told.culprit is Culprit.APPLICATION


@pytest.mark.parametrize(("kind", "folder"), [(kind, name) for kind, name in CASES if "healthy" not in name])
def test_corrected_it_is_no_fault(kind: str, folder: str) -> None:
    told = judged(kind, folder, "fixed")
    assert not told.is_bad, told.sentence
    assert bool(told.findings) == (folder in ONE_OUT), told.sentence
    assert told.culprit is Culprit.APPLICATION


def test_without_the_file_caddy_s_weights_are_still_blamed_by_what_the_log_shows() -> None:
    assert judged("caddy", "c01-wrong-weights", "broken", with_file=False).findings[0].cause is Cause.WEIGHTS
    assert judged("caddy", "c02-first", "broken", with_file=False).culprit is Culprit.BALANCER
    assert judged("caddy", "c00-healthy", "broken", with_file=False).findings == ()


@pytest.mark.parametrize(("state", "is_wrong"), [("wrong-weights", True), ("fixed", False)])
def test_aws_answers_have_the_shape_that_is_read(state: str, is_wrong: bool) -> None:
    here = SAMPLES / "aws_moto"
    files = (
        f"describe-listeners.{state}.json",
        "describe-target-groups.json",
        "describe-load-balancers.json",
    )
    texts = {aws.sniff(text): text for text in ((here / name).read_text(encoding="utf-8") for name in files)}
    health = json.loads((here / "describe-target-health.json").read_text(encoding="utf-8"))
    canary = {"TargetHealthDescriptions": health["TargetHealthDescriptions"][:1]}
    arns = [one["TargetGroupArn"] for one in json.loads(texts[aws.GROUPS])["TargetGroups"]]
    texts[aws.HEALTH] = json.dumps(dict(zip(arns, (health, canary), strict=True)))
    seen = aws.picture(Sample(0, {}), Sample(9, texts), Balancer("aws", "eu-west-1", "login"))
    assert [(server.name, seen.intended[server.name]) for server in seen.servers] == [
        ("auth", 3),
        ("auth-canary", 1),
    ]
    told = judge(seen)
    assert (told.figures.drift is not None and told.figures.drift > 0.7) == is_wrong
    assert "CloudWatch has no figures" in told.sentence
