"""The figures of the incidents that a person may see."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot.domain.incident import Severity
from bot.domain.insights import Insights, insights
from bot.domain.refusals import Refusal
from bot.domain.zone import zone_named
from bot.store import insights as store
from bot.usecases.desk import Desk


def figures(
    desk: Desk,
    *,
    by: str,
    since: date | None = None,
    until: date | None = None,
    severity: Severity | None = None,
    service: str | None = None,
) -> Insights:
    """The figures of the incidents that were opened on the days from `since` to `until`, both included.

    The days are those of the team's zone. `service` "" chooses the incidents without one; None leaves out nothing.
    Private incidents count for those who are in their channel. Raises Refusal when the days are the wrong way round.
    """
    if since is not None and until is not None and until < since:
        raise Refusal(
            f"The period ends ({until}) before it begins ({since}). Give the earlier day first, for example "
            "from 2024-06-01 to 2024-06-30."
        )
    zone = zone_named(desk.options.team_zone)
    now = desk.clock()
    chosen = store.Chosen(
        opened_from=_midnight(since, 0, zone),
        opened_before=_midnight(until, 1, zone),
        severity=severity,
        service=service,
    )
    with desk.db.reading() as session:
        known = store.known(session, chosen, to=by, today=now.astimezone(zone).date())
    return insights(known, zone, desk.options.team_zone, now)


def _midnight(day: date | None, days_on: int, zone: tzinfo) -> datetime | None:
    """When that day, or one so many days on, begins; None for no day, or one at the edge of all time."""
    if day is None:
        return None
    try:
        return datetime.combine(day + timedelta(days=days_on), time(), zone).astimezone(UTC)
    except OverflowError:
        return None


def services_seen(desk: Desk, *, by: str) -> list[str]:
    """The services of the incidents that `by` may see, to choose from."""
    with desk.db.reading() as session:
        return store.services(session, to=by)
