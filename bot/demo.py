"""`lantern demo`: the stand-in workspace and the bot in one process, and the seed incident as a guided story.

Stands on the top floor beside wiring: it knows the house and its neighbour.
"""

from __future__ import annotations

import tempfile
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from bot.demo_balancer import EVEN, WRONG, DemoBalancer
from bot.settings import Settings, shipped
from bot.standin.installed import InstalledApp
from bot.standin.player import player_for
from bot.standin.routes import Link
from bot.standin.server import Standin
from bot.standin.story import Story
from bot.web.pages.sign_in import BACK
from bot.wiring import House, utc_now

STORY = Path(__file__).resolve().parent / "stories" / "web-stack-outage.yaml"


class StoryClock:
    """Real time, until the story sets it: then it goes on from the story's moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        with self._lock:
            return utc_now() + self._ahead

    def set(self, at: datetime | None) -> None:
        """Go on from this moment; None is the real time again."""
        with self._lock:
            self._ahead = timedelta(0) if at is None else at - utc_now()


def manifest() -> dict[str, Any]:
    """app.yaml, read."""
    read: dict[str, Any] = yaml.safe_load(shipped("app.yaml").read_text(encoding="utf-8"))
    return read


def demo_settings(
    folder: Path,
    standin: Standin,
    app: InstalledApp,
    *,
    catalogue: str = "services: {}",
    balancer_window: float = 4.0,
) -> Settings:
    """Settings of a house that lives beside a stand-in, in a folder of its own, with its console on.

    People who watch do not want to wait for the usual twenty seconds between two looks at the balancer.
    """
    book = folder / "catalogue.yaml"
    book.write_text(catalogue, encoding="utf-8")
    return Settings.model_validate(
        {
            "slack_bot_token": SecretStr(app.bot_token),
            "slack_app_token": SecretStr(app.app_token),
            **console_settings(app),
            "slack_api_url": standin.api_url,
            "database_url": f"sqlite:///{folder / 'lantern.db'}",
            "announce_channel": "#incidents",
            "catalogue": book,
            "balancer_window": balancer_window,
            "port": 0,
        }
    )


def console_settings(app: InstalledApp) -> dict[str, Any]:
    """Settings that turn the console on, at the port that the house gets."""
    return {
        "public_url": "http://127.0.0.1:0",
        "slack_client_id": app.client_id,
        "slack_client_secret": SecretStr(app.client_secret),
    }


def allow_console(app: InstalledApp, url: str) -> None:
    """Let people sign in at this address: the lines that app.yaml has as comments."""
    oauth = app.manifest["oauth_config"]
    oauth["redirect_urls"] = [f"{url}{BACK}"]
    oauth["scopes"]["user"] = ["openid"]


@dataclass(frozen=True)
class Demo:
    """What runs beside each other."""

    standin: Standin
    balancer: DemoBalancer
    house: House


@contextmanager
def running_demo(*, port: int = 0, balancer_window: float = 4.0) -> Iterator[Demo]:
    """Start everything, and stop it at the end. Raises OSError when the port is taken."""
    clock = StoryClock()
    story = Story.from_yaml(STORY.read_text(encoding="utf-8"))
    balancer = DemoBalancer()

    def mend_or_break(what: str) -> None:
        balancer.set_weights(WRONG if what == "break the balancer" else EVEN)

    standin = Standin(
        port=port,
        story=lambda here: player_for(here, story, on_clock=clock.set, on_elsewhere=mend_or_break),
    )
    with tempfile.TemporaryDirectory(prefix="lantern-demo-") as folder, balancer, standin:
        app = standin.install(manifest())
        settings = demo_settings(
            Path(folder), standin, app, catalogue=balancer.catalogue(), balancer_window=balancer_window
        )
        house = House(settings, clock=clock, is_console_automatic=True)
        house.start()
        try:
            allow_console(app, house.console_url)
            standin.links.append(Link("Lantern's console", f"{house.console_url}/sign-in/start"))
            _welcome(standin, balancer.url)
            yield Demo(standin, balancer, house)
        finally:
            house.stop()


def run_demo(*, port: int, is_browser_opened: bool, wait: Callable[[], object]) -> int:
    """Start it, say where the page is, run until `wait` comes back. Raises OSError when the port is taken."""
    with running_demo(port=port) as demo:
        print(f"Lantern's demo is at {demo.standin.url}")
        print(f"Its console, for whomever you act as there: {demo.house.console_url}")
        print(f"Its load balancer: {demo.balancer.url}\n")
        print("Type /incident open logins fail sev2 in any channel, or press Play to watch a real incident.")
        print("Everything here is gone when you stop it with Ctrl-C.", flush=True)
        if is_browser_opened:
            webbrowser.open(demo.standin.url)
        wait()
    return 0


def _welcome(standin: Standin, balancer_url: str) -> None:
    """The first message of #general: what to try."""
    general = standin.workspace.channel_named("general")
    guide = next(user for user in standin.workspace.users.values() if user.name == "eve")
    assert general is not None
    text = (
        "Welcome! Type `/incident open logins fail sev2` here to open an incident, `/incident help` to see what "
        "Lantern can do, or press play below to watch the outage it was built for. "
        "At the top left you can act as another person, in another time zone. "
        f"There is a load balancer, too, and it is misconfigured: <{balancer_url}|its page>. "
        "`/incident open login fails sev1` lets Lantern find that out by itself."
    )
    standin.act({"as": guide.id, "do": "message", "channel": general.id, "text": text})
