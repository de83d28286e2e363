"""The page of the stand-in workspace, in a real browser: what a person reads, types and clicks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocketRoute, expect
from slack_sdk import WebClient

from bot.standin.person import Person
from bot.standin.player import player_for
from bot.standin.server import Standin
from bot.standin.story import Story
from tests.browsing import chromium
from tests.tinker import ANA, BEN, CARD, FORM, tinkered

# One worker keeps the browser and the workspace; two would start each twice.
pytestmark = pytest.mark.xdist_group("browser")

GENERAL = "C0GENERAL0"
STORY = """
title: One evening
intro: Logins fail.
steps:
  - {caption: ana asks, as: ana, in: "#general", say: who sees failing logins}
  - {caption: ben pins the alert, as: ben, in: "#incidents", say: it is me}
  - {caption: nobody comes, as: ben, say: hm, then_expect: never, timeout: 0.2}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def standin() -> Iterator[Standin]:
    with tinkered() as standin:
        yield standin


@pytest.fixture(scope="module")
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-US")
    yield context
    context.close()


@pytest.fixture
def page(desktop: BrowserContext, standin: Standin) -> Iterator[Page]:
    """ana's page; an error in its scripts fails the test."""
    wrong: list[str] = []
    page = desktop.new_page()
    page.set_default_timeout(8000)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{standin.url}/?as={ANA}")
    expect(page.get_by_role("heading", name="general")).to_be_visible()
    expect(page.get_by_text("● live")).to_be_visible()
    yield page
    page.close()
    assert wrong == []


def type_in(page: Page, text: str, box: str = "Message #general") -> None:
    page.get_by_label(box, exact=True).fill(text)
    page.get_by_label(box, exact=True).press("Enter")


def newest(page: Page) -> Any:
    return page.locator("#main .message").last


def test_what_one_person_says_another_sees_at_once(page: Page, standin: Standin) -> None:
    page.get_by_label("Message #general", exact=True).fill("one line")
    page.get_by_label("Message #general", exact=True).press("Shift+Enter")
    page.keyboard.type("*two* & <b>three</b> for @be")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    said = newest(page)
    expect(said).to_contain_text("one line")
    expect(said.locator("strong")).to_have_text("two")
    expect(said).to_contain_text("& <b>three</b> for @ben")
    Person(standin.url, BEN).says("#general", "I :eyes: it")
    expect(newest(page)).to_contain_text("I 👀 it")
    expect(newest(page)).to_contain_text("Ben Vogel")


def test_text_of_others_never_becomes_part_of_the_page(page: Page, standin: Standin) -> None:
    ben = Person(standin.url, BEN)
    ben.says(
        "#general",
        "<img src=x onerror=alert(1)> <javascript:alert(1)|go> `<script>` <https://example.org|*safe*>",
    )
    expect(newest(page)).to_contain_text("<img src=x onerror=alert(1)>")
    assert (
        page.locator("#main .messages").locator("script, iframe, img[src='x'], a[href^='javascript']").count()
        == 0
    )
    expect(newest(page).get_by_role("link", name="safe")).to_have_attribute("href", "https://example.org")


def test_a_command_is_completed_with_its_hint_and_answered_to_its_author_only(
    page: Page, standin: Standin
) -> None:
    box = page.get_by_label("Message #general", exact=True)
    box.press_sequentially("/tin")
    expect(page.get_by_role("option", name="/tinker form | card | room | words")).to_be_visible()
    box.press("Enter")
    expect(box).to_have_value("/tinker ")
    box.press_sequentially("hello")
    box.press("Enter")

    answer = newest(page)
    expect(answer).to_contain_text("Only visible to you")
    expect(answer.locator("strong")).to_have_text("hello")
    assert "hello" not in str(Person(standin.url, BEN).messages("#general"))


def test_a_command_nobody_answers_says_so_and_keeps_what_was_typed(page: Page) -> None:
    type_in(page, "/silent why")
    expect(
        page.get_by_role("status").get_by_text("/silent failed because the app did not respond")
    ).to_be_visible()
    expect(page.get_by_label("Message #general", exact=True)).to_have_value("/silent why")
    type_in(page, "/nothing")
    expect(page.get_by_text("/nothing is not a command here.")).to_be_visible()


def test_buttons_ask_first_where_they_must_and_tell_the_app(page: Page) -> None:
    type_in(page, "/tinker card")
    card = newest(page)
    expect(card.get_by_role("heading", name="Logins fail")).to_be_visible()
    expect(card).to_contain_text("Status: open <img src=x onerror=alert(1)>")
    card.get_by_role("button", name="Acknowledge").click()
    card.get_by_role("button", name="1 reply").click()
    thread = page.get_by_label("Thread", exact=True)
    expect(thread).to_contain_text("acknowledged 7 by @ana")
    type_in(page, "well done", "Reply …")
    expect(thread.locator(".message").last).to_contain_text("well done")
    page.keyboard.press("Escape")
    expect(thread).to_be_hidden()

    card.get_by_role("button", name="Close").click()
    page.get_by_role("dialog", name="Sure?").get_by_role("button", name="Keep").click()
    expect(card.get_by_role("button", name="Close")).to_be_visible()
    card.get_by_role("button", name="Close").click()
    page.get_by_role("dialog", name="Sure?").get_by_role("button", name="End it").click()
    expect(newest(page)).to_contain_text("Over.")


def test_a_form_is_filled_in_refused_under_its_field_and_accepted(page: Page) -> None:
    type_in(page, "/tinker form")
    form = page.get_by_role("dialog", name="The form")
    title = form.get_by_role("textbox", name="Title")
    expect(title).to_be_focused()
    title.press("Control+Enter")
    expect(form.get_by_text("Please complete this required field.")).to_have_count(2)

    title.fill("no")
    form.get_by_role("group", name="Colour").get_by_role("button").click()
    page.get_by_role("option", name="Green").click()
    form.get_by_role("group", name="Owner").get_by_role("button").click()
    page.keyboard.type("be")
    page.keyboard.press("Enter")
    form.get_by_role("group", name="Part").get_by_role("button").click()
    page.keyboard.type("auth")
    page.get_by_role("option", name="auth-2").click()
    expect(form.get_by_label("Red")).to_be_checked()
    form.get_by_role("button", name="Save").click()
    expect(form.get_by_role("alert")).to_have_text("Anything but no.")
    expect(form.get_by_role("group", name="Owner")).to_contain_text("ben")

    title.fill("Lamp")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    expect(newest(page)).to_contain_text("Lamp is green for @ben")


def test_escape_closes_a_modal_but_first_the_list_that_lies_over_it(page: Page, standin: Standin) -> None:
    page.get_by_label("Shortcuts").first.click()
    page.get_by_role("menuitem", name="Fill in the form").click()
    form = page.get_by_role("dialog", name="The form")
    form.get_by_role("group", name="Colour").get_by_role("button").click()
    expect(page.get_by_role("option", name="Blue")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("option", name="Blue")).to_be_hidden()
    expect(form).to_be_visible()
    page.keyboard.press("Escape")
    expect(form).to_be_hidden()
    assert Person(standin.url, ANA).views() == []


def test_what_is_typed_in_a_form_survives_a_change_of_the_form(page: Page, standin: Standin) -> None:
    type_in(page, "/tinker form")
    form = page.get_by_role("dialog", name="The form")
    form.get_by_role("textbox", name="Title").fill("half typed")
    changed = {
        **FORM,
        "blocks": [{"type": "header", "text": {"type": "plain_text", "text": "Now new"}}, *FORM["blocks"]],
    }
    app = next(iter(standin.workspace.apps.values()))
    view = Person(standin.url, ANA).views()[-1]
    WebClient(token=app.bot_token, base_url=standin.api_url).views_update(view_id=view["id"], view=changed)
    expect(form.get_by_role("heading", name="Now new")).to_be_visible()
    expect(form.get_by_role("textbox", name="Title")).to_have_value("half typed")
    expect(form.get_by_role("textbox", name="Title")).to_be_focused()
    form.get_by_role("button", name="Cancel").click()


def test_messages_are_reacted_to_pinned_and_handed_to_the_app(page: Page, standin: Standin) -> None:
    ben = Person(standin.url, BEN)
    ts = ben.says("#general", "a finding")
    message = page.locator(f'#main [data-ts="{ts}"]')
    message.hover()
    message.get_by_role("button", name="React with eyes").click()
    mine = message.get_by_role("button", name="eyes, 1")
    expect(mine).to_have_attribute("aria-pressed", "true")
    mine.click()
    expect(mine).to_be_hidden()
    message.hover()
    message.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Pin to channel").click()
    expect(message).to_contain_text("Pinned")
    page.get_by_role("button", name="1 pinned").click()
    expect(page.get_by_role("dialog", name="Pinned messages")).to_contain_text("a finding")
    page.keyboard.press("Escape")
    message.hover()
    message.get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Keep this").click()
    expect(newest(page)).to_contain_text("Kept: a finding")


def test_acting_as_another_person_changes_the_times_and_the_address(page: Page, standin: Standin) -> None:
    standin.set_clock(1717410600.0)
    try:
        ts = Person(standin.url, BEN).says("#incidents", "what time is it")
    finally:
        standin.set_clock(None)
    page.get_by_role("button", name="incidents").click()
    said = page.locator(f'#main [data-ts="{ts}"]')
    first = said.locator("time").first.inner_text()
    page.get_by_label("Act as").select_option(BEN)
    expect(said.locator("time").first).not_to_have_text(first)
    expect(page).to_have_url(re.compile(f"as={BEN}"))
    expect(page.get_by_text("Europe/Berlin")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Act as")).to_have_value(BEN)
    expect(page.get_by_role("heading", name="incidents")).to_be_visible()


def test_a_markdown_file_opens_as_a_page_to_read(page: Page, standin: Standin) -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    text = f"# Draft\n\nAll **good**, <b>raw</b>.\n\n{table}\n\n- [x] done\n\n[bad](javascript:alert(1))\n"
    Person(standin.url, BEN).uploads("#general", "draft.md", text.encode())
    page.get_by_role("button", name="Open draft.md").last.click()
    shown = page.get_by_role("dialog", name="draft.md")
    expect(shown.get_by_role("heading", name="Draft", exact=True)).to_be_visible()
    expect(shown.locator("strong")).to_have_text("good")
    expect(shown.get_by_role("cell", name="2")).to_be_visible()
    expect(shown).to_contain_text("<b>raw</b>")
    assert shown.locator(".markdown a").count() == 0
    page.keyboard.press("Escape")
    expect(shown).to_be_hidden()


def test_an_unread_channel_is_marked_until_it_is_opened(page: Page, standin: Standin) -> None:
    Person(standin.url, BEN).says("#incidents", "look here")
    row = page.get_by_role("button", name="incidents")
    expect(row).to_have_class(re.compile("unread"))
    row.click()
    expect(newest(page)).to_contain_text("look here")
    page.get_by_role("button", name="channel general").click()
    expect(page.get_by_role("heading", name="general")).to_be_visible()
    expect(row).not_to_have_class(re.compile("unread"))


def test_the_home_tab_shows_what_the_app_published(page: Page) -> None:
    page.get_by_role("button", name="tinker", exact=True).click()
    expect(page.get_by_role("heading", name="tinker · Home")).to_be_visible()
    expect(page.get_by_role("heading", name=CARD[0]["text"]["text"])).to_be_visible()


def test_the_page_says_when_it_is_cut_off_and_catches_up(page: Page, standin: Standin) -> None:
    lines: list[WebSocketRoute] = []
    is_cut = False

    def connect(line: WebSocketRoute) -> None:
        if is_cut:
            line.close()
            return
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket(re.compile("/ui/live"), connect)
    page.reload()
    expect(page.get_by_text("● live")).to_be_visible()
    is_cut = True
    for line in lines:
        line.close()
    expect(page.get_by_text("reconnecting")).to_be_visible()
    Person(standin.url, BEN).says("#general", "after the gap")
    is_cut = False
    expect(page.get_by_text("● live")).to_be_visible()
    expect(newest(page)).to_contain_text("after the gap")


def test_a_story_leads_the_page_from_person_to_person_and_stops_where_it_fails(
    page: Page, standin: Standin
) -> None:
    standin.player = player = player_for(standin, Story.from_yaml(STORY), speed=4)
    try:
        page.reload()
        bar = page.get_by_label("Story", exact=True)
        expect(bar).to_contain_text("One evening")
        bar.get_by_role("button", name="One step").click()
        expect(bar).to_contain_text("1/3 ana asks")
        expect(newest(page)).to_contain_text("who sees failing logins")
        bar.get_by_role("button", name="Play").click()
        expect(bar).to_contain_text("2/3 ben pins the alert")
        expect(bar).to_contain_text("watching as ben")
        expect(page.get_by_role("heading", name="incidents")).to_be_visible()
        expect(page.get_by_label("Act as")).to_have_value(BEN)
        expect(bar).to_contain_text('3/3 "nobody comes" did not bring "never" within 0.2 s.')
        page.get_by_label("Act as").select_option(ANA)
        page.get_by_role("button", name="channel general").click()
        Person(standin.url, BEN).says("#general", "look around")
        expect(newest(page)).to_contain_text("look around")
        expect(page.get_by_label("Act as")).to_have_value(ANA)
    finally:
        player.stop()
        standin.player = None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone(browser: Browser, standin: Standin, scheme: Any) -> None:
    Person(standin.url, ANA).types("/tinker card")
    context = browser.new_context(viewport={"width": 380, "height": 740}, color_scheme=scheme)
    phone = context.new_page()
    phone.goto(f"{standin.url}/?as={BEN}")
    expect(phone.locator(".message").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 380
    phone.get_by_role("button", name="Channels").click()
    phone.get_by_role("button", name="incidents").click()
    expect(phone.get_by_role("heading", name="incidents")).to_be_visible()
    type_in(phone, "/tinker form", "Message #incidents")
    box = phone.get_by_role("dialog", name="The form").bounding_box()
    assert box is not None
    assert (
        box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= 380 and box["y"] + box["height"] <= 740
    )
    phone.get_by_role("button", name="Cancel").click()
    context.close()
