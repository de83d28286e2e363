"""Sending again what Slack could not be told."""

from __future__ import annotations

from starlette.responses import Response

from bot.usecases import record, sight
from bot.web.answers import elsewhere
from bot.web.site import Address, Site
from bot.web.visit import Visit


def again(site: Site, visit: Visit) -> Response:
    """Send one thing again. Raises NoSuchIncident, Refusal."""
    about = sight.incident_by_number(site.desk, visit.number("number"), by=visit.who.id)
    done = record.send_again(site.desk, about.id, visit.number("work"), by=visit.who.id)
    return elsewhere(f"/incidents/{about.number}?did={'again' if done.is_new else 'gone'}-0#slack")


ADDRESSES = (Address("/incidents/{number:int}/deliveries/{work:int}/again", again, "POST"),)
