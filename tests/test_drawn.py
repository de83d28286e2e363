"""Pictures: what a reader finds in the drawn timeline and in the charts, whatever happened and whatever was typed."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bot.domain.course import course_of, described
from bot.domain.insights import Insights
from bot.domain.postmortem import Facts
from bot.domain.timeline import Entry, Kind
from bot.drawn import charts as drawn
from bot.drawn import clockface, ink, png, sheet, timeline
from bot.usecases.insights import figures
from tests.browsing import chromium
from tests.figured import figured
from tests.story import entry, june, login_outage, nothing_known

BEGUN = june(3, 10, 32)
SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {"svg", "title", "desc", "g", "rect", "line", "circle", "text"}


def outage(minutes: float, count: int, begun: datetime = BEGUN, zone: str = "Europe/Berlin") -> Facts:
    """An incident of so many minutes with so many entries of all kinds, evenly."""
    kinds = list(Kind)
    span = timedelta(minutes=minutes)
    entries: list[Entry] = [
        entry(n + 1, kinds[n % len(kinds)], begun + span * ((n + 0.5) / count), "words") for n in range(count)
    ]
    facts = login_outage(zone)
    about = replace(
        facts.incident,
        opened_at=begun,
        impact_started_at=begun - span / 30,
        impact_ended_at=begun + span,
        closed_at=begun + span * 1.05,
    )
    return replace(facts, incident=about, entries=tuple(entries), updates=(), roles=())


def read(text: str) -> ET.Element:
    """The picture, and that it is nothing but one: no script, no style, no link, no event, no id."""
    root = ET.fromstring(text)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in SHAPES, element.tag
        for name, value in element.attrib.items():
            assert not name.startswith("on") and name not in {"style", "href", "id"}
            assert "url(" not in value and "javascript" not in value
    assert root.get("role") == "img" and root.get("aria-label")
    assert len(root.findall(f"{SVG}title")) == len(root.findall(f"{SVG}desc")) == 1
    return root


def texts(root: ET.Element) -> list[ET.Element]:
    return list(root.iter(f"{SVG}text"))


def words(root: ET.Element) -> list[str]:
    return [text.text or "" for text in texts(root)]


def dots(root: ET.Element) -> list[ET.Element]:
    return list(root.iter(f"{SVG}circle"))


def counted(root: ET.Element) -> int:
    """How many entries all dots stand for."""
    return sum(int((dot.findtext(f"{SVG}title") or "0").split()[0]) for dot in dots(root))


# The timeline


def test_the_login_outage_is_seen_at_a_glance() -> None:
    course = course_of(login_outage("Europe/Berlin"))
    root = read(timeline.as_svg(course))
    shown = words(root)
    assert counted(root) == 16
    assert {"hypothesis 2", "dead end 2", "mitigation 1", "comms 2"} <= set(shown)
    assert "Mitigated: Jun 3 23:40 UTC (Jun 4 01:40 CEST)" in shown
    assert "Closed: Jun 4 09:30 UTC (11:30 CEST), beyond" in shown
    # The longest gap is the one of the draft, and bold.
    bold = [text.text or "" for text in texts(root) if text.get("font-weight")]
    assert [said for said in bold if " h " in said] == ["4 h 15 min"]
    assert {"3 h 10 min", "3 h 35 min"} <= set(shown)
    # Midnight by both clocks, 22:00 and 00:00 UTC.
    days = [float(text.get("x", 0)) for text in texts(root) if text.text == "Jun 4"]
    assert len(days) == 2 and days[1] < days[0]
    assert {"Jun 3, UTC", "Jun 3, CEST"} <= set(shown)
    assert described(course).startswith(
        "Timeline of inc-0042: 16 entries (1 impact, 1 detection, 1 escalation, 2 hypothesis, 1 finding, 1 decision, "
        "1 action, 2 dead end, 1 mitigation, 1 resolution, 2 comms, 1 runbook, 1 note). The longest gap is 4 hours "
        "15 minutes, from June 3, 2024 14:30 UTC (16:30 CEST) to June 3, 2024 18:45 UTC (20:45 CEST). Key times: "
        "impact started June 3, 2024 10:00 UTC (12:00 CEST)"
    )


@pytest.mark.parametrize(
    ("minutes", "count"),
    [(10, 7), (900, 3), (900, 10_000), (60 * 24 * 8, 60), (60 * 24 * 400, 30), (0.01, 1)],
)
@pytest.mark.parametrize("width", [timeline.WIDE, timeline.NARROW])
def test_every_entry_is_drawn_and_no_dot_covers_another(minutes: float, count: int, width: float) -> None:
    root = read(timeline.as_svg(course_of(outage(minutes, count)), width))
    assert counted(root) == count
    lanes: dict[str, list[float]] = {}
    for dot in dots(root):
        lanes.setdefault(dot.get("cy", ""), []).append(float(dot.get("cx", 0)))
    assert all(after - before >= 14.9 for lane in lanes.values() for before, after in pairwise(sorted(lane)))
    assert len(ET.tostring(root)) < 120_000
    inside(root, width)


def inside(root: ET.Element, width: float) -> None:
    """No words run over an edge, and none of the clocks and lanes into each other."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for text in texts(root):
        size, x = float(text.get("font-size", 0)), float(text.get("x", 0))
        wide = sheet.width_of(text.text or "", size)
        left = x - {"start": 0.0, "middle": wide / 2, "end": wide}[text.get("text-anchor", "start")]
        assert left >= 0 and left + wide <= width + 2, text.text
        if size == 11:
            rows.setdefault(text.get("y", ""), []).append((left, left + wide))
    for row in rows.values():
        row.sort()
        assert all(before[1] <= after[0] + 0.5 for before, after in pairwise(row))


def test_nothing_recorded_is_said_and_drawn() -> None:
    course = course_of(nothing_known())
    root = read(timeline.as_svg(course))
    assert "No entry was recorded." in words(root)
    assert words(root).count("1 h") == 1
    assert "Detected: not known" in words(root)
    assert "Not known: impact started, detected, acknowledged, mitigated and resolved." in described(course)
    assert Image.open(io.BytesIO(timeline.as_png(course))).format == "PNG"


def test_an_open_incident_goes_on_up_to_now_and_has_no_gap_yet() -> None:
    facts = outage(60, 4)
    about = replace(facts.incident, impact_ended_at=None, closed_at=None)
    # The last entry of these four is a hypothesis: nothing says that it was resolved.
    course = course_of(replace(facts, incident=about), june(3, 15))
    assert course.gaps == ()
    assert course.end > june(3, 15)


def test_an_entry_of_long_after_does_not_squeeze_the_picture_and_is_counted() -> None:
    facts = outage(60, 4)
    late = entry(99, Kind.NOTE, june(20, 9), "A customer called.")
    undone = replace(entry(98, Kind.NOTE, june(3, 11), "x"), undone_at=june(3, 12))
    course = course_of(replace(facts, entries=(*facts.entries, late, undone)))
    assert (course.later, course.entries) == (1, 5)
    assert course.end < june(3, 13)
    assert "Not in the picture: 1 entry later." in words(read(timeline.as_svg(course)))


def test_a_clock_change_is_marked_where_it_is_and_its_hour_comes_twice() -> None:
    course = course_of(outage(600, 9, begun=datetime(2024, 10, 26, 20, tzinfo=UTC)))
    root = read(timeline.as_svg(course))
    assert "CEST to CET" in words(root)
    assert words(root).count("02:00") == 3  # once by UTC, twice in Berlin
    (change,) = clockface.changes(course.start, course.end, course.zone)
    assert change.at == datetime(2024, 10, 27, 1, tzinfo=UTC)
    spring = ZoneInfo("Europe/Berlin"), datetime(2024, 3, 31, tzinfo=UTC)
    labels = [it.label for it in clockface.ticks(spring[1], spring[1] + timedelta(hours=5), spring[0], 8)]
    assert labels == ["01:00", "03:00", "04:00", "05:00", "06:00", "07:00"]


@given(
    st.datetimes(datetime(2019, 1, 1), datetime(2026, 1, 1)),
    st.floats(0.01, 6e6),
    st.integers(2, 14),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo"]),
)
@settings(max_examples=20, deadline=None)
def test_clocks_stand_in_order_at_round_moments(
    begun: datetime, minutes: float, most: int, name: str
) -> None:
    start, zone = begun.replace(tzinfo=UTC), ZoneInfo(name)
    end = start + timedelta(minutes=minutes)
    found = clockface.ticks(start, end, zone, most)
    assert all(start <= it.at <= end for it in found)
    assert all(before.at < after.at for before, after in pairwise(found))
    assert len(found) <= 2 * most + 2
    for it in found:
        there = it.at.astimezone(zone)
        assert it.is_midnight or f"{there:%H:%M}" == it.label[:5]


MOMENT = st.datetimes(datetime(2019, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))


@given(
    st.lists(st.tuples(st.sampled_from(Kind), MOMENT), max_size=12),
    MOMENT,
    st.tuples(st.none() | MOMENT, st.none() | MOMENT, st.none() | MOMENT),
    st.sampled_from(["UTC", "Asia/Kathmandu", "America/Sao_Paulo"]),
)
@settings(max_examples=25, deadline=None)
def test_whatever_moments_people_state_there_is_a_picture_of_them(
    drawn_by_lot: list[tuple[Kind, datetime]],
    opened: datetime,
    ends: tuple[datetime | None, datetime | None, datetime | None],
    zone: str,
) -> None:
    facts = outage(60, 1, zone=zone)
    began, ended, closed = ends
    about = replace(
        facts.incident, opened_at=opened, impact_started_at=began, impact_ended_at=ended, closed_at=closed
    )
    entries = tuple(entry(n, kind, at, "words") for n, (kind, at) in enumerate(drawn_by_lot, start=1))
    course = course_of(replace(facts, incident=about, entries=entries), opened)
    assert course.start < course.end
    assert counted(read(timeline.as_svg(course))) == len(entries)
    assert course.earlier + course.later <= course.entries == len(entries)
    assert len(described(course)) <= 1000


HOSTILE = (
    "</text><script>alert(1)</script>",
    '" onload="alert(1)',
    "&amp; &lt;b&gt; <!ENTITY x SYSTEM 'file:///etc/passwd'>",
    "\x00\x08\ud800 \u202ethgir",
    "漢字の見出しはとても長いのでおさまらない" * 4,
    "word" * 200,
)


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_is_text_in_the_picture_and_nothing_else(title: str) -> None:
    facts = outage(60, 3)
    course = course_of(replace(facts, incident=replace(facts.incident, title=title)))
    root = read(timeline.as_svg(course, is_on_paper=True))
    assert root.get("color") == ink.PAPER_INK
    inside(root, timeline.WIDE)
    picture = Image.open(io.BytesIO(timeline.as_png(course)))
    assert picture.size[0] == 2 * timeline.WIDE


def test_a_zone_nobody_knows_costs_no_picture() -> None:
    assert words(read(timeline.as_svg(course_of(outage(60, 3, zone="Mars/Olympus")))))


def test_the_image_is_small_and_shows_the_kinds_in_their_colours() -> None:
    made = timeline.as_png(course_of(outage(900, 10_000)))
    assert len(made) < 150_000
    seen = Image.open(io.BytesIO(made)).convert("RGB")
    colours = {colour for _, colour in seen.getcolors(1 << 16) or [] if isinstance(colour, tuple)}
    for code in set(ink.KINDS.values()):
        wanted = tuple(int(code[at : at + 2], 16) for at in (1, 3, 5))
        assert any(max(abs(a - b) for a, b in zip(wanted, it, strict=True)) <= 12 for it in colours), code


def test_words_of_an_image_that_are_faint_are_grey_and_not_gone() -> None:
    page = sheet.Sheet(60, "x", "y", 20, [sheet.Text(4, 16, "Ink", ink.FAINT, 14)])
    darkest = min(Image.open(io.BytesIO(png.written(page))).convert("L").tobytes())
    assert 60 < darkest < 130


def brightness(code: str) -> float:
    """Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((brightness(one), brightness(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_colour_can_be_told_from_a_light_page_and_from_a_dark_one() -> None:
    for code in {*ink.KINDS.values(), ink.BLUE, ink.FLAG}:
        assert contrast(code, "#ffffff") >= 4.4, code  # numbers stand on it in white
        assert contrast(code, "#1a1d21") >= 3.5, code


# Charts


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Insights]:
    with figured(f"sqlite:///{tmp_path_factory.mktemp('charts') / 'lantern.db'}") as desk:
        yield figures(desk, by="UANA")


@pytest.mark.parametrize("width", [drawn.COLUMN, drawn.NARROW])
def test_every_chart_has_its_definition_its_table_and_words_that_fit(found: Insights, width: float) -> None:
    for by, groups in (
        ("month", found.by_month),
        ("severity", found.by_severity),
        ("service", found.by_service),
    ):
        made = drawn.charts(found, groups, by, width)
        assert len(made) == 12
        for one in made:
            assert one.definition.endswith(".") and one.rows
            assert all(len(row) == len(one.heads) for row in one.rows)
            root = read(one.svg)
            assert root.get("aria-label") == one.title
            assert len(root.findtext(f"{SVG}desc") or "") > len(one.title)
            right = max(placed(root), default=0)
            assert right <= width, one.title


def placed(root: ET.Element, left: float = 0.0) -> Iterator[float]:
    """Right ends of all texts; leather moves groups, not texts."""
    for element in root:
        moved = re.match(r"translate\((-?[\d.]+)", element.get("transform", ""))
        inner = left + (float(moved[1]) if moved else 0.0)
        if element.tag == f"{SVG}text":
            wide = sheet.width_of(element.text or "", 12)
            part = {"start": 1.0, "middle": 0.5, "end": 0.0}[element.get("text-anchor", "start")]
            yield inner + float(element.get("x", 0)) + wide * part
        yield from placed(element, inner)


def test_the_table_tells_to_the_second_and_says_what_has_no_value(found: Insights) -> None:
    one = drawn.spread_chart(found.overall, found.by_month, "Time to acknowledge", "month")
    assert one.heads == ("month", "median", "p90", "n", "without a value")
    assert one.rows[0] == ("March 2024", "0:06:30", "0:11:00", "3 (few)", "1 not known")
    assert one.rows[-1] == ("all", "0:09:13.5", "0:30:00", "16", "1 not known")
    assert one.rows[2] == ("May 2024", "", "", "0", "")
    assert one.note == "1 of 17 incidents have no value: 1 not known."
    assert "acknowledged - detected" in one.definition and "nearest rank" in one.definition


def test_a_month_without_a_value_has_no_bar(found: Insights) -> None:
    root = read(drawn.spread_chart(found.overall, found.by_month, "Time to mitigate", "month").svg)
    shown = words(root)
    assert shown.count("no incident") == 4 and shown.count("no value") == 2
    bars = [it for it in root.iter(f"{SVG}rect") if it.get("fill") != "none"]
    assert len(bars) == 3 * 3  # a bar, a line and its end for each of three months
    nothing = replace(found, incidents=0)
    assert drawn.charts(nothing, (), "month") == ()


def test_the_load_is_a_dot_for_each_hour_and_its_table_adds_up(found: Insights) -> None:
    opened, responding = drawn.load_charts(found.load)
    assert len(dots(read(opened.svg))) == 16
    assert sum(int(row[-1]) for row in opened.rows) == 17
    assert opened.note == "Most: 2 incidents opened, Monday 10:00."
    assert len(responding.heads) == 26 and responding.rows[0][0] == "Monday"


def test_a_service_s_name_is_text_in_its_chart(found: Insights) -> None:
    for name in HOSTILE:
        group = replace(found.by_service[0], key=name, label=name)
        root = read(drawn.spread_chart(found.overall, [group], "Response", "service").svg)
        assert max(placed(root)) <= drawn.COLUMN


def test_a_page_shows_the_pictures_in_the_colours_around_them(found: Insights, tmp_path: object) -> None:
    """Under a policy that allows no style and no script, in light and in dark."""
    picture = timeline.as_svg(course_of(login_outage("Europe/Berlin")), timeline.NARROW)
    chart = drawn.spread_chart(found.overall, found.by_month, "Response", "month", drawn.NARROW).svg
    policy = "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'\">"
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme="dark")
        page.set_content(
            f"<!doctype html>{policy}<meta name=color-scheme content='light dark'>{picture}{chart}"
        )
        colours = page.evaluate(
            "[...document.querySelectorAll('svg text')].map(it => getComputedStyle(it).fill)"
        )
        assert set(colours) == {"rgb(255, 255, 255)"}
        widths = page.evaluate(
            "[...document.querySelectorAll('svg')].map(it => it.getBoundingClientRect().width)"
        )
        assert all(330 < width <= 360 for width in widths)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
