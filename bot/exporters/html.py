"""The postmortem as one HTML file: the text, the drawn timeline and the images inside, nothing loaded from anywhere.

It is read years later, offline and by people who have no Slack. So it holds no script and asks no server for anything,
and a policy of its own says so to the browser: style by its digest, pictures out of the file itself.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from bot.domain.course import course_of
from bot.domain.export import Export, Picture
from bot.domain.review import Review, ReviewState
from bot.domain.wording import escaped, stamp
from bot.drawn.timeline import WIDE, as_svg
from bot.markdown_html import html_of, normal

NAME = "html"
SUFFIX = ".html"
MEDIA_TYPE = "text/html; charset=utf-8"
TITLE = "HTML"


def write(export: Export) -> bytes:
    """The file. The same export gives the same bytes."""
    return page(export).encode("utf-8")


def page(export: Export) -> str:
    """The whole page as text."""
    facts, style = export.facts, _style()
    course = course_of(facts, export.now)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    shown = [_shown(one, export) for one in export.pictures]
    instead = {
        normal(picture.permalink): f"#{one.anchor}"
        for picture, one in zip(export.pictures, shown, strict=True)
        if picture.permalink and one.source
    }
    return _template().render(
        about=facts.incident,
        title=f"{facts.incident.slug} {course.title}: postmortem",
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'",
        style=Markup(style),  # noqa: S704 (a file of ours)
        state=state_of(export.review, export.revision.number),
        document=html_of(export.revision.markdown, lowered=0, instead=instead),
        timeline=Markup(as_svg(course, WIDE, is_on_paper=True)),  # noqa: S704 (ElementTree escapes)
        pictures=shown,
    )


def state_of(review: Review, revision: int) -> str:
    """How far the postmortem is: "Published June 4, 2024 10:00 UTC, revision 3"."""
    if review.state is not ReviewState.PUBLISHED or review.published_at is None:
        return f"{review.state.value.capitalize()}, revision {revision}"
    later = "" if review.published_revision == revision else f"; this is revision {revision}, not published"
    return f"Published {stamp(review.published_at)} UTC, revision {review.published_revision}{later}"


@dataclass(frozen=True)
class _Shown:
    anchor: str
    number: int
    name: str
    when: str
    author: str
    why_not: str
    #: data: address; "" when the image is not in the file.
    source: str
    width: int
    height: int


def _shown(picture: Picture, export: Export) -> _Shown:
    stored, content, entry = picture.stored, picture.content, picture.entry
    source = ""
    if stored is not None and content is not None:
        source = f"data:{stored.mimetype};base64,{base64.b64encode(content).decode()}"
    person = export.facts.people.get(entry.author)
    return _Shown(
        anchor=f"image-{entry.number}-{picture.place}",
        number=entry.number,
        name=escaped(picture.name).plain or "image",
        when=stamp(entry.happened_at),
        author=person.name if person is not None else entry.author,
        why_not=picture.why_not,
        source=source,
        width=stored.width if stored is not None else 0,
        height=stored.height if stored is not None else 0,
    )


@cache
def _style() -> str:
    return (files("bot.exporters") / "templates" / "page.css").read_text(encoding="utf-8")


@cache
def _template() -> Template:
    source = (files("bot.exporters") / "templates" / "page.html.j2").read_text(encoding="utf-8")
    sheet = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return sheet.from_string(source)
