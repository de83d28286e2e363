"""One incident's story, told while Lantern dies in every deed of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping

from bot.standin.person import Denied
from bot.store import incident as incidents
from tests.crash.fate import Plan, Point
from tests.crash.replicas import Replicas
from tests.crash.score import Death, Told, census, said_alone, told
from tests.crash_story import Story
from tests.houses import until

DEEDS = ("open", "log", "image", "runbook", "step", "update", "close")
_PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(64)


class NotKept(Exception):
    """Lantern says that it could not keep it; or the form that was asked for is not there."""


class Teller(Story):
    """Tells the story with a plan for each deed.

    Whoever is told by Slack that a command failed, or by Lantern that it was not saved, looks whether it was done, and
    types it again if not. Nobody else types again: what Lantern said it has and has not is lost.
    """

    def __init__(self, here: Replicas, plans: Mapping[str, Plan] | None = None, seed: str = "") -> None:
        super().__init__(here.standin, here.ana, here.ben, self._settled)
        self._here, self._plans = here, plans or {}
        self._chance = here.chance = random.Random(seed)
        self._deed = ""
        self.deaths: list[Death] = []
        #: Deeds whose plan met no such call.
        self.spared: list[str] = []
        #: What each deed called, in order.
        self.calls: dict[str, list[str]] = {}

    def told(self, names: Iterable[str] = DEEDS) -> Told:
        """Tell it, or these deeds of it, and give everything that is there afterwards."""
        before, alone = census(self.standin, self._here.db, self.ana), len(said_alone(self.standin))
        deeds: dict[str, Callable[[], object]] = {
            # The deeds of DEEDS, in their order.
            "open": self.open,
            "log": lambda: self._said("/log detection: alarms on login", "alarms on login"),
            "image": self._logs_an_image,
            "runbook": lambda: self._said("/runbook start lb-uneven-traffic", "step 1 of"),
            "step": self._marks_the_step,
            "update": lambda: self._said("/incident update a fix is coming", "a fix is coming"),
            "close": self.close,
        }
        for name in names:
            self._does(name, deeds[name])
        found = told(self.standin, self._here.db, self.ana, self.number)
        found.facts.extend((census(self.standin, self._here.db, self.ana) - before).facts())
        found.alone.extend(said_alone(self.standin)[alone:])
        found.facts.extend(f"alone again: {one}" for one in found.alone if found.alone.count(one) > 1)
        return found

    def _does(self, name: str, deed: Callable[[], object]) -> None:
        self._deed = name
        plan = self._plans.get(name)
        self._here.choose()
        self._here.fate.calls()
        self._here.fate.plan(plan)
        so_far = len(self.deaths)
        deed()
        self._settled()
        self.calls[name] = self._here.fate.calls()
        if plan is not None and len(self.deaths) == so_far:
            self.spared.append(name)

    def opens(self, asked_in: str) -> None:
        known = self._newest()
        line = "/incident open logins fail sev2"
        self._trying(lambda: self.ana.types(line, asked_in), lambda: self._newest() > known)
        self.number = self._newest()

    def _newest(self) -> int:
        with self._here.db.reading() as session:
            found = incidents.find_any(session, is_whole=True, limit=1)
        return found[0].number if found else 0

    def _said(self, line: str, trace: str) -> None:
        self._trying(lambda: self.ana.types(line, self.channel), lambda: self._shows(trace))

    def _shows(self, words: str) -> bool:
        return any(words in line for line in self.seen().lines)

    def closes(self) -> None:
        self._trying(self._fills_in_the_form, self._is_over)

    def _fills_in_the_form(self) -> None:
        known = {view["id"] for view in self.ana.views()}
        self.ana.types("/incident close", self.channel)
        form = next((view for view in self.ana.views() if view["id"] not in known), None)
        if form is None:
            raise NotKept
        answer = self.ana.submits(
            form, {"Root cause": "one server had a high weight", "Resolution": "equal weights"}
        )
        if not answer["closed"]:
            raise NotKept

    def _is_over(self) -> bool:
        with self._here.db.reading() as session:
            found = incidents.find_by_number(session, self.number)
        return found is not None and found.status.is_over

    def _trying(self, deed: Callable[[], object], is_done: Callable[[], bool]) -> None:
        """Do it until nobody says that it failed, or until it is seen to be done."""
        for _ in range(8):
            heard = self._refusals()
            try:
                deed()
            except NotKept:
                pass
            except Denied as denied:
                if denied.error != "dispatch_failed":
                    raise
            else:
                if self._refusals() == heard:
                    return
            self._settled()
            if is_done():
                return
        raise AssertionError(f"it failed eight times; heard last: {self._heard()[-3:]}")

    def _refusals(self) -> int:
        """How often ana was told that something was not kept, or perhaps not."""
        return sum("*not*" in text or "*may* have been" in text for text in self._heard())

    def _heard(self) -> list[str]:
        """What ana alone was told."""
        heard = [
            message["text"]
            for place in ("#general", self.channel)
            if place
            for message in self.ana.messages(place, 1000)
            if message.get("ephemeral")
        ]
        return [*heard, *said_alone(self.standin)]

    def _logs_an_image(self) -> None:
        here, channel = self._here, self.channel
        sent = here.ana.uploads(channel, "failed-logins.png", _PICTURE, "failed logins of the last hour")
        here.ana.reacts(str(sent["ts"]), "pushpin", channel)
        # The event travels by itself, and Slack sends it again to whoever lives.
        until(self._is_marked, 40, "the reaction was not heard")

    def _is_marked(self) -> bool:
        if self._here.is_hurt:
            self._settled()
        return self.seen().marks > 0

    def _marks_the_step(self) -> None:
        step = self._message("step 1 of")
        self._trying(lambda: self.ana.clicks(step, "Done"), lambda: self._shows("step 2 of"))

    def _settled(self) -> None:
        self._here.settled(self._died)

    def _died(self, method: str, point: Point) -> None:
        is_again = any(death.deed.startswith(self._deed) for death in self.deaths)
        self.deaths.append(Death(f"{self._deed}, again" if is_again else self._deed, method, point))
        if not is_again and self._chance.random() < 1 / 3:
            # And once more while it recovers: the calls by which it looks are among these.
            point = self._chance.choice((Point.BEFORE, Point.EFFECT, Point.ANSWER, Point.COMMIT))
            self._here.fate.plan(Plan("", point, self._chance.randint(1, 4)))
