"""The trackers that a follow-up can be sent to: every file of bot/trackers/, and the one that is set."""

from __future__ import annotations

from types import ModuleType

from bot import trackers
from bot.domain.tracker import NoTracker, Tracker
from bot.shelf import gather
from bot.tracker_wire import Place


def kinds() -> dict[str, ModuleType]:
    """Kind -> its file."""
    return {str(module.KIND): module for module in gather(trackers, "KIND", "NAME", "EXAMPLE", "connect")}


def tracker_at(place: str, *, url: str = "", token: str = "", user: str = "") -> Tracker:
    """The tracker that "github:acme/web" names. Raises NoTracker with a sentence that says what to set."""
    kind, _, project = place.partition(":")
    known = kinds()
    if kind not in known:
        examples = ", ".join(str(module.EXAMPLE) for module in known.values())
        raise NoTracker(
            f"LANTERN_TRACKER names no tracker that Lantern knows. Write one of these: {examples}."
        )
    if not token:
        raise NoTracker(
            f"LANTERN_TRACKER_TOKEN is not set, so {known[kind].NAME} would take nothing. docs/trackers.md says which "
            "token to make: LANTERN_TRACKER_TOKEN=..."
        )
    made: Tracker = known[kind].connect(Place(kind, project, url, token, user))
    return made
