"""The postmortem to take along, in every format there is, and the images of the timeline."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from bot.usecases import export, images
from bot.web.answers import handed_over
from bot.web.site import Address, Site
from bot.web.visit import Visit


def _handing_over(form: str) -> Callable[[Site, Visit], Response]:
    def show(site: Site, visit: Visit) -> Response:
        """The newest revision as a file. Raises NotThere, Refusal."""
        paper = export.paper_of(site.desk, visit.number("number"), form, by=visit.who.id)
        return handed_over(paper.name, paper.media_type, paper.content)

    return show


def image(site: Site, visit: Visit) -> Response:
    """An image of an entry that stands. Raises NotThere."""
    number, entry, place = (visit.number(name) for name in ("number", "entry", "image"))
    found = images.image_of(site.desk, number, entry, place, by=visit.who.id)
    ending = found.mimetype.rpartition("/")[2]
    name = f"inc-{number:04d}-entry-{entry}-image-{place}.{ending}"
    return handed_over(name, found.mimetype, found.content, is_shown=True)


ADDRESSES = (
    *(
        Address(f"/incidents/{{number:int}}/postmortem{one.SUFFIX}", _handing_over(name))
        for name, one in export.formats().items()
    ),
    Address("/incidents/{number:int}/entries/{entry:int}/images/{image:int}", image),
)
