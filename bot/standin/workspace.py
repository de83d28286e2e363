"""The state of the stand-in workspace.

Everything lives in memory behind `lock`; whoever reads or changes anything holds it.  The workspace knows
no HTTP: it tells `on_event` (what apps may subscribe to) and `on_change` (what the page should re-read).
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable

from bot.standin.codes import Codes
from bot.standin.installed import InstalledApp, stable_id
from bot.standin.model import Channel, File, Json, Message, User, UserGroup
from bot.standin.refused import Refused

_COLORS = ("4b6ea9", "9f69e7", "e0a729", "3c989f", "d55aef", "43761b", "e96699", "827327", "a2a5dc", "db3150")
_PEOPLE = (
    ("ana", "Ana Torres", "America/New_York"),
    ("ben", "Ben Vogel", "Europe/Berlin"),
    ("chloe", "Chloe Rao", "Asia/Kolkata"),
    ("dev", "Dev Okafor", "UTC"),
    ("eve", "Eve Price", "Europe/London"),
)
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"

#: (event, app ids it may go to; None means every app)
OnEvent = Callable[[Json, "Iterable[str] | None"], None]


def named_id(prefix: str, name: str) -> str:
    """A readable id, the same in every run: `named_id("U", "ana")` is U0ANA00000."""
    return prefix + "0" + re.sub(r"[^A-Z0-9]", "", name.upper())[:12].ljust(8, "0")


def fresh_id(prefix: str) -> str:
    """An id never given before, not even by an earlier run (bots keep ids in a database)."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(10))


class Workspace:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.lock = threading.RLock()
        self.team: Json = {"id": "T0STANDIN0", "name": "Stand-in", "domain": "stand-in"}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, File] = {}
        self.groups: dict[str, UserGroup] = {}
        self.apps: dict[str, InstalledApp] = {}
        self.on_event: OnEvent = lambda event, apps: None
        self.on_change: Callable[[list[str]], None] = lambda what: None
        self.base_url = ""
        self.openid = Codes()
        self._real_clock = clock
        self._offset = 0.0
        self._stamps: set[str] = set()
        for name, real_name, tz in _PEOPLE:
            self.add_person(name, real_name, tz)
        everyone = list(self.users)
        for name in ("general", "incidents", "random"):
            members = everyone if name != "random" else everyone[:3]
            channel = Channel(named_id("C", name), name, everyone[0], int(self.now()), members=list(members))
            channel.is_general = name == "general"
            self.channels[channel.id] = channel

    # The clock

    def now(self) -> float:
        """Seconds since 1970 on the workspace's own clock."""
        return self._real_clock() + self._offset

    def set_clock(self, at: float | None) -> None:
        """Let message times and event times go on from `at`; None goes back to the real time."""
        with self.lock:
            self._offset = 0.0 if at is None else at - self._real_clock()
        self.on_change(["state"])

    def next_ts(self, channel: Channel) -> str:
        """A message time: the clock's, later than every other of the channel, once in the workspace."""
        micros = max(int(self.now() * 1_000_000), int(channel.last_ts.replace(".", "")) + 1)
        while (stamp := f"{micros // 1_000_000}.{micros % 1_000_000:06d}") in self._stamps:
            micros += 1
        self._stamps.add(stamp)
        channel.last_ts = stamp
        return stamp

    def event_ts(self) -> str:
        micros = int(self.now() * 1_000_000)
        return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"

    # People and apps

    def add_person(self, name: str, real_name: str, tz: str) -> str:
        """A new human member of the workspace; gives the user id."""
        with self.lock:
            user_id = named_id("U", name)
            if user_id in self.users:
                user_id = fresh_id("U")
            color = _COLORS[len(self.users) % len(_COLORS)]
            email = f"{name}@stand-in.example.com"
            self.users[user_id] = User(
                user_id, name, real_name, tz, email, color, updated=int(self._real_clock())
            )
        self.on_change(["state"])
        return user_id

    def install(self, manifest: Json, request_url: str | None) -> InstalledApp:
        """The app of this manifest, its bot a member of the workspace (and of no channel)."""
        with self.lock:
            name = str(manifest.get("display_information", {}).get("name") or "app")
            app = InstalledApp(
                manifest, stable_id("A", name), stable_id("B", name), stable_id("U", name), request_url
            )
            self.apps[app.app_id] = app
            self.users[app.bot_user_id] = User(
                app.bot_user_id,
                re.sub(r"[^a-z0-9._-]", "", app.display_name.lower().replace(" ", "_")) or "app",
                app.display_name,
                "UTC",
                "",
                "5b6470",
                is_bot=True,
                bot_id=app.bot_id,
                app_id=app.app_id,
                updated=int(self._real_clock()),
            )
        self.on_change(["state"])
        return app

    def user(self, user_id: str) -> User:
        found = self.users.get(user_id)
        if found is None:
            raise Refused("user_not_found")
        return found

    def app_of_bot(self, user_id: str | None) -> InstalledApp | None:
        return next((a for a in self.apps.values() if a.bot_user_id == user_id), None)

    def app_of_client(self, client_id: str, client_secret: str) -> InstalledApp:
        """The app with these credentials."""
        found = next((a for a in self.apps.values() if a.client_id == client_id), None)
        if found is None:
            raise Refused("invalid_client_id")
        if found.client_secret != client_secret:
            raise Refused("bad_client_secret")
        return found

    # Channels, as someone may see them

    def seen(self, channel_id: str, user_id: str) -> Channel:
        """The channel, if this user may know of it; else `channel_not_found`."""
        channel = self.channels.get(channel_id)
        if channel is None or ((channel.is_private or channel.is_im) and user_id not in channel.members):
            raise Refused("channel_not_found")
        return channel

    def channel_named(self, name: str) -> Channel | None:
        """The channel of that name, archived ones too: a name stays taken."""
        return next((c for c in self.channels.values() if not c.is_im and c.name == name), None)

    def direct_channel(self, one: str, other: str) -> Channel:
        """The direct conversation of two users, made when there is none."""
        pair = {one, other}
        for channel in self.channels.values():
            if channel.is_im and set(channel.members) == pair:
                return channel
        channel = Channel(fresh_id("D"), "", one, int(self.now()), is_im=True, members=[one, other])
        self.channels[channel.id] = channel
        self.on_change(["state"])
        return channel

    def message(self, channel: Channel, ts: str) -> Message:
        found = channel.messages.get(ts)
        if found is None:
            raise Refused("message_not_found")
        return found

    def bots_in(self, channel: Channel) -> list[str]:
        """Ids of the apps whose bot is a member."""
        return [a.app_id for a in self.apps.values() if a.bot_user_id in channel.members]

    def add_group(self, handle: str, name: str, users: list[str]) -> str:
        """A user group (@handle); gives its id."""
        with self.lock:
            group = UserGroup(named_id("S", handle), handle, name, list(users))
            self.groups[group.id] = group
        return group.id

    def permalink(self, message: Message) -> str:
        address = f"{self.base_url}/archives/{message.channel}/p{message.ts.replace('.', '')}"
        return address + (f"?thread_ts={message.thread_ts}" if message.is_reply else "")
