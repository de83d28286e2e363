"""Reading an AWS load balancer, against a small stand-in of its API: what is compared, what is said, what is asked."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from bot.balancers import aws
from bot.balancers.aws_calls import QUESTIONS
from bot.balancers.sample import NoReading, Sample
from bot.domain.catalogue import Balancer
from bot.domain.findings import Cause, Culprit
from bot.domain.verdict import Verdict, judge
from tests.amazon import BALANCER, NETWORK, ZONES, Amazon, target

WRONG = ("Target.ResponseCodeMismatch", "Health checks failed with these codes: [404]")


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys that nobody has, and no other way to any."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "kept-to-ourselves")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_PROFILE", raising=False)


def canary(blue: int, green: int, **more: Any) -> Amazon:
    """Three targets in one group and one in another, with such weights, and the traffic that follows them."""
    whole = blue + green
    figures = {"RequestCount||": 1000.0}
    for name, weight in (("auth", blue), ("auth-canary", green)):
        figures[f"RequestCount|{name}|"] = 1000.0 * weight / whole
        figures[f"TargetResponseTime|{name}|"] = 0.03
    targets = {"auth": [target(f"i-{at}") for at in range(3)], "auth-canary": [target("i-9")]}
    return Amazon(targets, {"auth": blue, "auth-canary": green}, figures, **more)


def single(*targets: dict[str, Any], **more: Any) -> Amazon:
    """One group of those targets."""
    return Amazon(
        {"auth": list(targets)}, {"auth": 1}, {"RequestCount||": 1000.0, "RequestCount|auth|": 1000.0}, **more
    )


def looked(amazon: Amazon, backend: str = "login", **more: Any) -> Verdict:
    """The verdict on it."""
    with amazon.serve() as here:
        balancer = Balancer("aws", here.address, backend, **more)
        sample = aws.look(balancer)
    return judge(aws.picture(Sample(0, {}), sample, balancer))


def test_weights_of_target_groups_are_compared_with_their_targets() -> None:
    wrong = canary(1, 99)
    wrong.figures["HTTPCode_Target_5XX_Count|auth-canary|"] = 400.0
    told = looked(wrong)
    assert told.sentence.startswith(
        "auth-canary gets 99 % of the requests, 25 % would be fair: its weights are 1/99. Compared were target groups; "
        "fair is what their number of targets says, unless the catalogue says it. CloudWatch's figures are of "
    )
    assert (told.findings[0].cause, told.culprit, told.is_bad) == (Cause.WEIGHTS, Culprit.BALANCER, True)
    assert looked(canary(75, 25)).sentence.startswith("Traffic is even over 2 of 2 servers (within 1 %)")
    # What people meant goes before.
    assert looked(canary(1, 99), intended={"auth": 1, "auth-canary": 99}).findings == ()
    # Green waits for its turn.
    assert looked(canary(100, 0)).findings == ()


def test_only_questions_of_the_list_are_asked_and_no_secret_is_kept() -> None:
    amazon = canary(75, 25)
    with amazon.serve() as here:
        sample = aws.look(Balancer("aws", here.address, "login"))
        assert not any("kept-to-ourselves" in f"{one.headers}{one.body}" for one in here.asked)
    known = {"".join(word.capitalize() for word in question.split("_")) for _, question in QUESTIONS}
    assert set(amazon.asked) <= known
    assert all(question.startswith(("describe_", "get_")) for _, question in QUESTIONS)
    assert "AKID" not in str(sample.texts)


def test_single_targets_have_states_and_the_split_is_not_made_up() -> None:
    told = looked(single(target("i-1"), target("i-2"), attributes={"stickiness.enabled": "true"}))
    assert told.sentence.startswith(
        "2 of 2 servers take traffic; the split cannot be judged: CloudWatch counts target groups and zones and not "
    )
    assert "Stickiness is on in auth: clients keep to the target that they had." in told.sentence
    assert (told.is_judged, told.culprit, told.findings) == (False, None, ())


def test_targets_that_are_unhealthy_are_named_with_what_their_check_got() -> None:
    amazon = single(
        target("i-1"), *(target(f"i-{at}", "unhealthy", *WRONG) for at in (2, 3, 4)), path="/health"
    )
    told = looked(amazon)
    assert told.sentence.startswith(
        "3 of 4 servers are DOWN by health check (i-2, i-3, i-4): the check is answered 404, so its path is probably "
        "wrong; 1 of 4 servers take traffic"
    )
    assert (told.findings[0].cause, told.is_bad) == (Cause.HEALTH_CHECK, True)
    late = single(target("i-1", "unhealthy", "Target.Timeout", "Request timed out"), target("i-2"))
    assert "gets no answer in time" in looked(late).sentence
    # Groups that are even may still lack targets.
    short = canary(75, 25)
    short.targets["auth"][1:] = [target(f"i-{at}", "unhealthy", *WRONG) for at in (1, 2)]
    assert looked(short).sentence.startswith("2 of 4 servers are DOWN by health check (i-1, i-2)")


def test_without_a_healthy_target_all_are_used() -> None:
    told = looked(single(*(target(f"i-{at}", "unhealthy", *WRONG) for at in range(3))))
    assert "so few are well that the balancer ignores health and sends to all of them" in told.sentence
    assert not told.is_bad


def test_targets_that_leave_after_a_deploy_are_no_fault() -> None:
    rolling = single(*(target(f"i-{at}") for at in (1, 2)), *(target(f"i-{at}", "draining") for at in (3, 4)))
    assert looked(rolling).findings == ()


def test_zones_are_compared_where_each_keeps_its_own() -> None:
    figures = {"RequestCount||": 1000.0}
    for zone, requests, targets in ((ZONES[0], 500.0, 2.0), (ZONES[1], 500.0, 8.0)):
        figures |= {f"RequestCount|auth|{zone}": requests, f"HealthyHostCount|auth|{zone}": targets}
    zonal = single(
        *(target(f"i-{at}") for at in range(10)), attributes={"load_balancing.cross_zone.enabled": "false"}
    )
    zonal.figures = {**figures, "RequestCount|auth|": 1000.0}
    told = looked(zonal)
    assert told.sentence.startswith(
        "eu-west-1a gets 50 % of the requests, 20 % would be fair: each zone keeps its own requests (cross-zone "
        "balancing is off), however few servers it has; nobody suffers from it yet. Compared were zones;"
    )
    assert told.runbook_id == "lb-zone-imbalance"
    # A Network Load Balancer does so unless it is told otherwise, and counts flows.
    network = single(*(target(f"i-{at}") for at in range(10)), balancer=NETWORK)
    network.figures = {
        "NewFlowCount||": 1000.0,
        **{f"NewFlowCount||{zone}": 500.0 for zone in ZONES},
        **{f"HealthyHostCount|auth|{zone}": hosts for zone, hosts in zip(ZONES, (2.0, 8.0), strict=True)},
    }
    assert looked(network).sentence.startswith("eu-west-1a gets 50 % of the requests, 20 % would be fair")


def test_what_the_load_balancer_answers_by_itself_has_its_reason() -> None:
    amazon = canary(75, 25)
    amazon.figures |= {"HTTPCode_ELB_5XX_Count||": 300.0, "HTTPCode_ELB_502_Count||": 300.0}
    told = looked(amazon)
    assert told.findings[0].cause is Cause.OWN_ERRORS
    assert "the balancer wrote itself: targets break off or send what is no HTTP (502)" in told.sentence
    late = canary(75, 25)
    late.figures |= {"HTTPCode_ELB_5XX_Count||": 300.0, "HTTPCode_ELB_504_Count||": 300.0}
    late.figures |= {f"TargetResponseTime most|{name}|": 59.0 for name in ("auth", "auth-canary")}
    told = looked(late)
    assert told.culprit is Culprit.APPLICATION
    assert "the servers are slow or hang" in told.sentence


def test_an_application_that_fails_is_told_from_a_balancer_that_does() -> None:
    amazon = canary(75, 25)
    amazon.figures |= {
        "HTTPCode_Target_5XX_Count|auth|": 300.0,
        "HTTPCode_Target_5XX_Count|auth-canary|": 100.0,
    }
    told = looked(amazon)
    assert (told.culprit, told.findings[0].cause) == (Culprit.APPLICATION, Cause.APPLICATION)
    # Also when a canary gets little on purpose, and nobody wrote that down.
    amazon = canary(98, 2)
    amazon.figures |= {
        "HTTPCode_Target_5XX_Count|auth|": 390.0,
        "HTTPCode_Target_5XX_Count|auth-canary|": 8.0,
    }
    assert looked(amazon).culprit is Culprit.APPLICATION


def test_a_target_group_s_name_finds_its_load_balancer() -> None:
    assert looked(canary(75, 25), "auth-canary").sentence.startswith("Traffic is even over 2 of 2 servers")
    with pytest.raises(NoReading, match=r"no load balancer and no target group `shop` .* It has: login"):
        looked(canary(75, 25), "shop")
    with pytest.raises(NoReading, match=r"no listener `8443`\. It has: HTTP:80, HTTPS:443"):
        looked(canary(75, 25), front="8443")


@pytest.mark.parametrize(
    ("question", "code", "words"),
    [
        (
            "DescribeListeners",
            "AccessDenied",
            "Give its role the action elasticloadbalancing:DescribeListeners",
        ),
        ("GetMetricData", "AccessDeniedException", "Give its role the action cloudwatch:GetMetricData"),
        (
            "DescribeLoadBalancers",
            "ExpiredToken",
            "does not accept Lantern's credentials (ExpiredToken). Renew them",
        ),
        ("DescribeTargetHealth", "Throttling", "asked too often"),
        ("DescribeTargetGroups", "InternalFailure", "answered InternalFailure"),
    ],
)
def test_what_aws_refuses_is_a_sentence(question: str, code: str, words: str) -> None:
    with pytest.raises(NoReading) as told:
        looked(canary(75, 25, refused={question: code}))
    assert words in told.value.sentence


def test_without_keys_or_without_boto3_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NoReading, match="has no credentials for AWS"):
        looked(canary(75, 25))
    real = importlib.import_module

    def absent(name: str, package: str | None = None) -> Any:
        if name.startswith("boto"):
            raise ModuleNotFoundError(name)
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(NoReading, match="pip install boto3"):
        aws.look(Balancer("aws", BALANCER, "login"))


@pytest.mark.parametrize("address", ["eu", "arn:aws:s3:::bucket", "file:/etc/passwd", "login; rm"])
def test_a_place_that_is_none_of_aws_is_a_sentence(address: str) -> None:
    with pytest.raises(NoReading, match=r"is no place of AWS\. Write a region"):
        aws.look(Balancer("aws", address, "login"))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"Listeners": [5]}', "[" * 100000])
def test_answers_that_hold_nothing_are_a_sentence(text: str) -> None:
    texts = dict.fromkeys(
        (aws.BALANCERS, aws.LISTENERS, aws.GROUPS, aws.HEALTH, aws.ATTRIBUTES, aws.COUNTS), text
    )
    with pytest.raises(NoReading, match="neither a listener nor a target group"):
        aws.picture(Sample(0, {}), Sample(9, texts), Balancer("aws", "eu-west-1", "login"))
