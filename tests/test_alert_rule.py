"""The alert rule that ships: Prometheus' own tool reads it, and plays the outage to it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.runbooks.reading import read_folder
from tests.conftest import missing

ALERTS = Path(__file__).resolve().parents[1] / "runbooks" / "alerts"


@pytest.mark.parametrize(
    "words", [("check", "rules", "load-balancer.yml"), ("test", "rules", "load-balancer-test.yml")]
)
def test_promtool_passes_the_rule_and_its_tests(words: tuple[str, ...]) -> None:
    """Silent while the traffic is even, firing during the outage's split, silent after it."""
    promtool = shutil.which("promtool")
    if promtool is None:
        missing("promtool is not installed (Debian's package `prometheus` holds it).")
        return
    done = subprocess.run(
        [promtool, *words], cwd=ALERTS, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SUCCESS" in done.stdout


def test_what_an_alert_names_as_its_runbook_is_there_and_knows_the_alert() -> None:
    rules = yaml.safe_load((ALERTS / "load-balancer.yml").read_text(encoding="utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    runbooks, _ = read_folder(ALERTS.parent)
    assert alerts
    for alert in alerts:
        runbook = runbooks[alert["annotations"]["runbook"]]
        assert alert["alert"] in runbook.alerts
