"""The console in a real browser: signing in, finding, watching an entry arrive, correcting it with the keyboard."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bot.domain.sections import find
from bot.standin.authorize import ACTING_AS
from bot.usecases.sections import edit_section
from tests.browsing import chromium
from tests.houses import Town
from tests.rooms import Room, fresh_words, hasty_town, opened

# One worker keeps the browser, as in test_standin_page.py.
pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("web-pages"), console=True) as here:
        yield here


@pytest.fixture(scope="module")
def room(town: Town) -> Room:
    """An incident with something in every part of its page."""
    room = opened(town, "/incident open checkout fails for half of the users sev1")
    room.types("/log 10m ago detection: *alarms* on `login`, see <https://example.com|the graph>")
    room.types("/log dead end: a restart changed nothing", by=town.ben)
    room.types("/log a slip")
    room.types("/log undo")
    room.types("/runbook start lb-uneven-traffic")
    room.types(f"/incident follow-up review the weights <@{town.ben.id}> by friday")
    room.types("/incident update a fix is on its way")
    room.types("/incident impact half of the users")
    room.types("/incident lesson lucky it was noon")
    room.types("/postmortem compile")
    town.standin.fault("chat.postMessage", "error", error="restricted_action", times=1)
    room.types("/log Slack refuses this one")
    town.settled()
    in_question(town, room)
    room.types("/postmortem compile")
    town.settled()
    return room


def in_question(town: Town, room: Room) -> None:
    """People write over the summary, then the facts of it change."""
    revision = room.revision
    assert revision is not None
    told = find(revision.sections, "issue-summary").text
    edit_section(
        town.house.desk, room.about.id, "issue-summary", "What people say.", made_from=told, by=town.ana.id
    )
    room.types("/incident impact all of the users")


@contextmanager
def signed_in(browser: Browser, town: Town, person: str, **options: object) -> Iterator[BrowserContext]:
    """A browser in which this person acts in Slack, and has signed in to the console."""
    context = browser.new_context(locale="en-US", **options)  # type: ignore[arg-type]
    context.set_default_timeout(8000)
    context.add_cookies([{"name": ACTING_AS, "value": person, "url": town.standin.url}])
    context.request.get(f"{town.house.console_url}/sign-in/start")
    yield context
    context.close()


@pytest.fixture(scope="module")
def desktop(browser: Browser, town: Town) -> Iterator[BrowserContext]:
    with signed_in(browser, town, town.ana.id, viewport={"width": 1280, "height": 900}) as context:
        yield context


@pytest.fixture
def page(desktop: BrowserContext) -> Iterator[Page]:
    """Ana's; what her browser complains of fails the test."""
    wrong: list[str] = []
    page = desktop.new_page()
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    yield page
    page.close()
    assert [one for one in wrong if "422" not in one] == []


def at(town: Town, room: Room, more: str = "") -> str:
    return f"{town.house.console_url}/incidents/{room.number}{more}"


def test_somebody_signs_in_and_finds_the_incident(browser: Browser, town: Town, room: Room) -> None:
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(at(town, room))
    page.get_by_role("link", name="Sign in with Slack").click()
    page.get_by_role("link", name="Ben Vogel").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("checkout fails for half of the users")
    page.get_by_role("link", name="Incidents").click()
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Severity").select_option("SEV1")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name=re.compile("checkout fails")).click()
    expect(page).to_have_url(at(town, room))
    context.close()


def test_an_entry_typed_in_slack_arrives_by_itself_and_what_is_typed_here_stays(
    page: Page, town: Town, room: Room
) -> None:
    page.goto(at(town, room))
    box = page.get_by_label("What happened?")
    box.fill("half a sentence")
    page.get_by_text("1 taken back").click()
    box.focus()
    words = fresh_words("typed in Slack")
    room.types(f"/log mitigation: {words} <b>now</b>", by=town.ben)
    entry = page.locator(".entries .entry").first
    expect(entry).to_contain_text(f"{words} <b>now</b>")
    expect(entry).to_contain_text("mitigation")
    expect(page.locator("#said")).to_contain_text(words)
    expect(page.locator("#connection")).to_have_text("● live")
    expect(box).to_have_value("half a sentence")
    expect(box).to_be_focused()
    expect(page.locator("details.undone")).to_have_attribute("open", "")
    page.reload()
    expect(box).to_have_value("half a sentence")
    box.fill("")


def test_an_entry_is_typed_corrected_and_undone_with_the_keyboard(page: Page, room: Room, town: Town) -> None:
    page.goto(at(town, room))
    words = fresh_words("by keys")
    page.keyboard.press("n")
    page.keyboard.type(f"10: {words}")
    page.keyboard.press("Control+Enter")
    refusal = page.get_by_role("alert")
    expect(refusal).to_contain_text("may be a time or a number")
    box = page.get_by_label("What happened?")
    expect(box).to_be_focused()
    expect(box).to_have_value(f"10: {words}")
    box.fill(f"finding: {words}")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text("Logged #")
    expect(box).to_have_value("")

    page.locator("h1").click()
    page.keyboard.press("j")
    expect(page.locator(".entry:focus")).to_contain_text(words)
    page.keyboard.press("e")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Entry #")
    page.get_by_label("What it says").fill(f"{words} corrected")
    page.get_by_label("When").fill("yesterday 10:15 UTC")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("Changed #")
    entry = room.only(f"{words} corrected")
    assert entry.happened_at.strftime("%H:%M") == "10:15"
    page.get_by_role("link", name=re.compile(f"^Entry {entry.number}:")).click()
    page.get_by_role("button", name="Undo this entry").click()
    expect(page.get_by_role("status").first).to_contain_text(f"Undid #{entry.number}")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)


def test_a_section_is_edited_compiled_again_and_published_in_the_browser(page: Page, town: Town) -> None:
    room = opened(town, "/incident open refunds are slow sev4")
    room.types("/incident close now")
    town.settled()
    page.goto(f"{town.house.console_url}/incidents")
    page.keyboard.press("/")
    page.keyboard.type("slow refund")
    page.keyboard.press("Enter")
    expect(page.locator("mark").first).to_contain_text("refund")
    page.get_by_role("link", name=re.compile(room.about.slug)).click()
    page.get_by_role("link", name=re.compile("^Postmortem")).click()
    expect(page.get_by_role("img", name=re.compile("^Timeline of"))).to_be_visible()

    page.get_by_role("link", name="Edit Issue Summary").click()
    box = page.get_by_label(re.compile("^Text"))
    expect(box).to_be_focused()
    box.fill("Refunds took **an hour**. <script>alert(1)</script>")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".document strong")).to_have_text("an hour")
    expect(page.locator(".document")).to_contain_text("<script>alert(1)</script>")
    box.focus()
    page.keyboard.press("Control+Enter")
    part = page.locator("#part-issue-summary")
    expect(part).to_contain_text("edited by people")

    words = fresh_words("found")
    room.types(f"/log finding: {words}")
    page.reload()
    page.locator(".notice").get_by_role("button", name="Compile again").click()
    expect(page.locator(".document")).to_contain_text(words)
    expect(part.locator("strong")).to_have_text("an hour")
    page.get_by_role("button", name=re.compile("^Publish revision")).click()
    expect(page.get_by_role("status").first).to_have_text("It is published.")
    with page.expect_download() as taken:
        page.get_by_role("link", name="HTML").click()
    told = taken.value.path().read_text(encoding="utf-8")
    assert "<strong>an hour</strong>" in told and words in told and "<script>" not in told


def test_a_button_pressed_twice_sends_once(page: Page, room: Room, town: Town) -> None:
    page.goto(at(town, room))
    words = fresh_words("pressed")
    page.get_by_label("What happened?").fill(words)
    page.get_by_role("button", name="Log it").dblclick()
    expect(page.get_by_role("status").first).to_contain_text("Logged #")
    assert len(room.told(words)) == 1


def test_whoever_is_signed_out_meanwhile_is_told(
    desktop: BrowserContext, browser: Browser, town: Town, room: Room
) -> None:
    with signed_in(browser, town, town.chloe.id) as context:
        page = context.new_page()
        page.goto(at(town, room))
        expect(page.locator("#connection")).to_have_text("● live")
        page.get_by_label("What happened?").fill("words that must not be lost")
        context.clear_cookies(name="lantern-visitor")
        page.get_by_role("button", name="Log it").click()
        expect(page.get_by_role("heading", name="Signed out")).to_be_visible()
        expect(page.get_by_role("textbox").first).to_have_value("words that must not be lost")


def pages_of(town: Town, room: Room) -> list[str]:
    first = f"/incidents/{room.number}"
    return [
        "/incidents",
        "/incidents?severity=9&person=nobody-knows",
        first,
        f"{first}/entries/3",
        f"{first}/postmortem",
        f"{first}/postmortem/changes",
        f"{first}/postmortem/sections/issue-summary",
        f"{first}/postmortem/new-section",
        f"{first}/postmortem/1",
        f"{first}/follow-ups/1",
        f"{first}/follow-ups/new",
        "/incidents?q=weights+alarms",
        "/incidents?q=nothinglikethat",
        "/insights?since=&by=severity",
        "/account",
        "/nowhere",
    ]


@pytest.mark.parametrize(("scheme", "width"), [("dark", 360), ("light", 1280)])
def test_every_page_is_well_made_for_everybody(
    browser: Browser, town: Town, room: Room, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 800}
    axe = Axe()
    with signed_in(browser, town, town.ana.id, viewport=size, color_scheme=scheme) as context:
        page = context.new_page()
        for path in pages_of(town, room):
            page.goto(town.house.console_url + path)
            is_wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not is_wide, f"{path} is wider than {width} px"
            # What a page is made of is the same in the dark: only its colours are not.
            rules = {"runOnly": ["color-contrast"]} if scheme == "dark" else None
            found = axe.run(page, options=rules).response["violations"]
            faults = [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]
            assert faults == [], f"{path} at {width} px, {scheme}"
            if width == 360:
                assert too_small(page) == [], path


def too_small(page: Page) -> list[str]:
    """What is pressed and is lower than a thumb (44 px), but for links in running text."""
    pressed = "button:not(.quiet), .button, select, input:not([type=hidden]), textarea, summary, .top a"
    found: list[str] = page.evaluate(
        """(pressed) => [...document.querySelectorAll(pressed)]
            .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 44)
            .map((each) => each.outerHTML.slice(0, 100))""",
        pressed,
    )
    return found


def test_a_printed_page_has_the_facts_and_no_forms(page: Page, room: Room, town: Town) -> None:
    page.goto(at(town, room))
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator(".entry").first).to_be_visible()
    expect(page.get_by_role("button", name="Log it")).to_be_hidden()
    expect(page.get_by_text("Times are in your zone")).to_be_visible()
    assert len(page.pdf(format="A4")) > 10_000
