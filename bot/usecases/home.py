"""A person's Home tab: what is open, what they have to do, what was closed lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.followup import FollowUp
from bot.domain.incident import Incident
from bot.domain.notices import HomeDue
from bot.store import followup as follow_ups
from bot.store import incident as incidents
from bot.usecases import sight
from bot.usecases.desk import Desk
from bot.usecases.reminders import local_day

#: How many of each are shown at most. Slack takes 100 blocks.
OPEN_SHOWN = 20
FOLLOW_UPS_SHOWN = 15
CLOSED_SHOWN = 5
#: How many are looked through for those that are shown.
_MOST = 200


@dataclass(frozen=True)
class Owed:
    """A follow-up that is the person's to do."""

    follow_up: FollowUp
    incident: Incident


@dataclass(frozen=True)
class Home:
    """What one person's Home tab shows; of private incidents only those that they are in."""

    #: Newest first, and one more than is shown when there are more.
    open: list[Incident]
    #: The last ones that ended.
    closed: list[Incident]
    #: The longest overdue first.
    owed: list[Owed]
    owed_in_all: int
    #: The person's day, by their own clock.
    today: date
    now: datetime
    #: Web address of the console's list; "" while it is off.
    console: str


def ask_home(desk: Desk, person_id: str) -> None:
    """Have the person's Home tab drawn. Asked again before it is drawn, it is drawn once. Raises NotSaved."""
    with desk.db.writing() as session:
        desk.tell(session, HomeDue(0, person_id))


def home(desk: Desk, person_id: str) -> Home:
    """What the person's Home tab shows now."""
    with desk.db.reading() as session:
        visible = set(sight.ids_shown(session, to=person_id))
        found = [one for one in follow_ups.open_of(session, person_id, _MOST) if one.incident_id in visible]
        ids = sorted({one.incident_id for one in found})
        about = {one.id: one for one in incidents.find_these(session, ids)}
        owed = [Owed(one, about[one.incident_id]) for one in found]
    past = sight.visible_incidents(desk, by=person_id, is_over=True, limit=_MOST)
    past.sort(key=lambda one: one.closed_at or one.opened_at, reverse=True)
    where = desk.console()
    return Home(
        open=sight.visible_incidents(desk, by=person_id, is_over=False, limit=OPEN_SHOWN + 1),
        closed=past[:CLOSED_SHOWN],
        owed=owed[:FOLLOW_UPS_SHOWN],
        owed_in_all=len(owed),
        today=local_day(desk, person_id).date(),
        now=desk.now_for_outbox(),
        console=f"{where}/incidents" if where else "",
    )
