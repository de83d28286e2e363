"""`lantern` on a command line: what it says, when it stops, and what it never prints."""

from __future__ import annotations

import copy
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from bot import __version__
from bot.__main__ import main
from bot.demo import manifest
from bot.standin.person import Person
from bot.standin.server import Standin
from tests.houses import said, until

ROOT = Path(__file__).resolve().parent.parent
SECRETS = {
    "SLACK_BOT_TOKEN": "xoxb-very-secret-bot",
    "SLACK_APP_TOKEN": "xapp-very-secret-app",
    "SLACK_SIGNING_SECRET": "very-secret-signature",
    "SLACK_CLIENT_SECRET": "very-secret-client",
}


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment without any setting but a database of the test's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SLACK_", "LANTERN_"))}
    return {**kept, "LANTERN_DATABASE_URL": f"sqlite:///{tmp_path / 'cli.db'}", "LANTERN_PORT": "0"}


def lantern(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run to the end. No traceback and no secret may come out of it, whatever the command."""
    done = subprocess.run(
        [sys.executable, "-m", "bot", *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    return judged(done)


def within(env: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The same in this process, for what starts nothing that goes on: a process takes a second to start."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in set(os.environ) - set(env):
            patch.delenv(name)
        for name, value in env.items():
            patch.setenv(name, value)
        status = main(words)
    return judged(subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue()))


def judged(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    for printed in (done.stdout, done.stderr):
        assert "Traceback" not in printed, printed
        assert not any(secret in printed for secret in SECRETS.values()), printed
    return done


class Running:
    """A `lantern` that goes on until it is told to stop."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process = process
        self._folder = folder

    @property
    def said(self) -> str:
        return (self._folder / "said").read_text()

    def find(self, pattern: str) -> str:
        """The first group of a pattern in what it prints, once it is there."""

        def is_there() -> bool:
            assert self._process.poll() is None, self.said
            return re.search(pattern, self.said) is not None

        until(is_there, 30, f"it never said {pattern}")
        found = re.search(pattern, self.said)
        assert found is not None
        return found[1]

    def stops(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit status after a signal; fails when that takes over ten seconds."""
        self._process.send_signal(how)
        return self._process.wait(10)


@contextmanager
def running(env: dict[str, str], folder: Path, *words: str) -> Iterator[Running]:
    folder.mkdir(exist_ok=True)
    with (folder / "said").open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", *words],
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield Running(process, folder)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait(10)


def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def of_app(env: dict[str, str], standin: Standin, *, transport: str = "socket") -> dict[str, str]:
    """Settings for an app installed in the stand-in."""
    app = standin.install(manifest())
    settings = {"SLACK_BOT_TOKEN": app.bot_token, "SLACK_API_URL": standin.api_url}
    if transport == "socket":
        settings["SLACK_APP_TOKEN"] = app.app_token
    else:
        settings["SLACK_SIGNING_SECRET"] = app.signing_secret
    return {**env, **settings}


# Words and settings


def test_it_says_its_version(env: dict[str, str]) -> None:
    assert lantern(env, "--version").stdout == f"lantern {__version__}\n"


@pytest.mark.parametrize("words", [(), ("fly",), ("demo", "--port", "x")])
def test_wrong_usage_is_status_2(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 2
    assert "usage: lantern" in capsys.readouterr().err


def test_serve_without_settings_names_each_with_an_example(env: dict[str, str]) -> None:
    done = lantern(env, "serve")
    assert done.returncode == 1
    for wanted in ("SLACK_BOT_TOKEN=xoxb-", "SLACK_APP_TOKEN=xapp-", "SLACK_SIGNING_SECRET=", "lantern demo"):
        assert wanted in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("SLACK_API_URL", "slack.com", "https://slack.com/api/"),
        ("LANTERN_DATABASE_URL", "mysql://root@db/x", "postgresql://user:password@host/database"),
        ("LANTERN_TIME_ZONE", "Berlin", "Europe/Berlin"),
        ("LANTERN_TIME_ZONE", "../../etc/passwd", "Europe/Berlin"),
        ("LANTERN_CHANNEL_NAME", "incident-{title}", "{number}"),
        ("LANTERN_CHANNEL_NAME", "inc-{nummer}", "inc-{number:04d}-{title}"),
        ("LANTERN_CHANNEL_NAME", "i" * 50 + "{number}", "40 characters"),
        ("LANTERN_DEFAULT_SEVERITY", "SEV9", "SEV1, SEV2, SEV3 or SEV4"),
        ("LANTERN_PORT", "http", "for example 8080"),
        ("LANTERN_PORT", "70000", "for example 8080"),
        ("LANTERN_LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING or ERROR"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "check"])
def test_a_wrong_setting_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    name: str,
    value: str,
    wanted: str,
) -> None:
    for one, kept in {**SECRETS, name: value}.items():
        monkeypatch.setenv(one, kept)
    assert main([command]) == 1
    printed = capsys.readouterr()
    (sentence,) = printed.err.strip().splitlines()
    assert sentence.startswith(f"{name} cannot be used: ")
    assert wanted in sentence
    assert not any(secret in printed.err + printed.out for secret in SECRETS.values())


def test_settings_are_read_from_a_file_and_a_file_that_is_not_there_is_named(
    env: dict[str, str], tmp_path: Path
) -> None:
    written = tmp_path / "lantern.env"
    written.write_text("LANTERN_TIME_ZONE=Nowhere/Land\n")
    assert "LANTERN_TIME_ZONE" in within(env, "check", "--env-file", str(written)).stderr
    done = within(env, "check", "--env-file", str(tmp_path / "typo.env"))
    assert done.returncode == 1
    assert "There is no file" in done.stderr
    assert "typo.env" in done.stderr


# check and migrate


def test_check_of_a_well_set_up_lantern_finds_nothing_wrong(env: dict[str, str], standin: Standin) -> None:
    console = {
        "LANTERN_PUBLIC_URL": "https://lantern.example.com",
        "SLACK_CLIENT_ID": "1.2",
        "SLACK_CLIENT_SECRET": "very-secret-client",
    }
    done = lantern({**of_app(env, standin), **console, "LANTERN_ANNOUNCE_CHANNEL": "#incidents"}, "check")
    assert done.returncode == 0, done.stdout
    assert "https://lantern.example.com/sign-in/slack among the app's redirect URLs" in done.stdout
    for wanted in ("Socket Mode", "every scope", "opens a socket", "Runbooks:", "built-in"):
        assert wanted in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.startswith("wrong")]


def test_check_names_a_scope_the_token_lacks(env: dict[str, str], standin: Standin) -> None:
    fewer = copy.deepcopy(manifest())
    fewer["oauth_config"]["scopes"]["bot"].remove("pins:write")
    app = standin.install(fewer)
    settings = {"SLACK_BOT_TOKEN": app.bot_token, "SLACK_API_URL": standin.api_url, "LANTERN_CANVAS": "on"}
    done = within({**env, **settings}, "check")
    assert done.returncode == 1
    assert "LANTERN_CANVAS is on and the token lacks canvases:write" in done.stdout
    assert "the token lacks pins:write. Reinstall the app from app.yaml" in done.stdout


def test_check_names_what_is_broken_on_this_host(env: dict[str, str], tmp_path: Path) -> None:
    runbooks = tmp_path / "pages"
    runbooks.mkdir()
    (runbooks / "half.md").write_text("# Half a runbook\n")
    template = tmp_path / "mine.j2"
    template.write_text("{% if %}")
    port = closed_port()
    done = within(
        {
            **env,
            "LANTERN_RUNBOOKS": str(runbooks),
            "LANTERN_POSTMORTEM_TEMPLATE": str(template),
            "LANTERN_DATABASE_URL": f"postgresql://lantern:very-secret-signature@127.0.0.1:{port}/lantern",
            "LANTERN_PUBLIC_URL": "http://lantern.example.com",
        },
        "check",
    )
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("wrong")]
    assert any("pages/half.md:1:" in line for line in wrong)
    assert any("mine.j2" in line and "built-in template" in line for line in wrong)
    assert any("does not answer" in line and "***" in line for line in wrong)
    for lacking in ("SLACK_CLIENT_ID is not set", "SLACK_CLIENT_SECRET is not set", "is not https"):
        assert any("Console: " in line and lacking in line for line in wrong), lacking


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_a_database_that_is_away_is_a_sentence(env: dict[str, str], command: str) -> None:
    url = f"postgresql://lantern:very-secret-signature@127.0.0.1:{closed_port()}/lantern"
    run = lantern if command == "serve" else within
    done = run({**env, **SECRETS, "LANTERN_DATABASE_URL": url}, command)
    assert done.returncode == 1
    assert "LANTERN_DATABASE_URL" in done.stderr
    assert "does not answer" in done.stderr


def test_migrate_brings_either_database_up_to_date_and_again(env: dict[str, str], database_url: str) -> None:
    here = {**env, "LANTERN_DATABASE_URL": database_url}
    for run in (lantern, within):
        done = run(here, "migrate")
        assert done.returncode == 0, done.stderr
    assert "has this version's schema" in within(here, "check").stdout


# serve


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_over_socket_mode_and_stops_when_asked(
    env: dict[str, str], standin: Standin, tmp_path: Path, how: signal.Signals
) -> None:
    with running(of_app(env, standin), tmp_path / "one", "serve") as bot:
        ready = bot.find(r"Health: (\S+)")
        until(lambda: get(ready)[0] == 200, 10, "it was never ready")
        assert json.loads(get(ready)[1])["ready"] is True
        assert get(ready.replace("readyz", "healthz")) == (200, "ok\n")
        ana = Person(standin.url, next(u.id for u in standin.workspace.users.values() if u.name == "ana"))
        assert "Opening" in said(ana.types("/incident open logins fail sev2"))
        ana.waits_for(lambda: any("logins-fail" in str(c) for c in ana.state()["channels"]) or None, 10)
        assert bot.stops(how) == 0
        assert "Traceback" not in bot.said
        assert "logins fail" not in bot.said


def test_serve_answers_over_http_and_stops_when_asked(
    env: dict[str, str], standin: Standin, tmp_path: Path
) -> None:
    settings = of_app(env, standin, transport="http")
    with running(settings, tmp_path / "one", "serve") as bot:
        ready = bot.find(r"Health: (\S+)")
        (app,) = standin.workspace.apps.values()
        app.request_url = ready.replace("readyz", "slack/events")
        ana = Person(standin.url, next(u.id for u in standin.workspace.users.values() if u.name == "ana"))
        assert "Opening" in said(ana.types("/incident open logins fail sev2"))
        assert bot.stops() == 0


def test_a_second_serve_on_one_file_is_refused(env: dict[str, str], standin: Standin, tmp_path: Path) -> None:
    settings = of_app(env, standin)
    with running(settings, tmp_path / "one", "serve") as bot:
        bot.find(r"Health: (\S+)")
        done = lantern(settings, "serve")
        assert done.returncode == 1
        assert "Another Lantern serves from" in done.stderr
        assert "postgresql://" in done.stderr
        assert bot.stops() == 0


def test_an_address_that_is_taken_is_a_sentence_and_an_end(env: dict[str, str], standin: Standin) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = lantern({**of_app(env, standin), "LANTERN_PORT": port}, "serve")
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "LANTERN_PORT=8081" in done.stderr


def test_an_app_token_that_slack_refuses_is_a_sentence(env: dict[str, str], standin: Standin) -> None:
    settings = {**of_app(env, standin), "SLACK_APP_TOKEN": SECRETS["SLACK_APP_TOKEN"]}
    done = lantern(settings, "serve")
    assert done.returncode == 1
    assert "SLACK_APP_TOKEN: Slack refuses it" in done.stderr


def test_serve_waits_for_a_slack_that_is_away(env: dict[str, str], tmp_path: Path) -> None:
    away = {**env, **SECRETS, "SLACK_API_URL": f"http://127.0.0.1:{closed_port()}/api/"}
    with running(away, tmp_path / "one", "serve") as bot:
        ready = bot.find(r"Health: (\S+)")
        status, answer = get(ready)
        assert status == 503
        assert json.loads(answer)["troubles"] == ["socket mode"]
        assert bot.stops() == 0
        assert "Traceback" not in bot.said
        assert not any(secret in bot.said for secret in SECRETS.values())


# demo


def test_the_demo_says_where_its_page_is_and_stops_when_asked(env: dict[str, str], tmp_path: Path) -> None:
    with running(env, tmp_path / "one", "demo", "--port", "0", "--no-browser") as demo:
        status, page = get(demo.find(r"demo is at (\S+)"))
        assert status == 200
        assert "<html" in page
        # Whoever acts as nobody there yet chooses; the console's own page is not shown.
        status, page = get(demo.find(r"act as there: (\S+)") + "/incidents")
        assert status == 200
        assert "Who are you?" in page and "Ana Torres" in page
        assert demo.stops() == 0
        assert "Traceback" not in demo.said
