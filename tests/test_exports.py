"""A postmortem as a file: what stands in it, and what nobody can make it do."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import re
import sys
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pypdf import PdfReader

from bot.__main__ import main
from bot.domain.export import Export
from bot.domain.postmortem import compile_draft
from bot.domain.refusals import Refusal
from bot.domain.sample import sample_facts
from bot.exporters import html as as_html
from bot.exporters import json as as_json
from bot.exporters import pdf as as_pdf
from bot.exporters.markdown import render
from bot.markdown_html import html_of
from bot.usecases import export as exports
from tests.conftest import missing
from tests.houses import Town
from tests.pictures import DOT, export_of, picture, with_texts
from tests.rooms import opened
from tests.story import login_outage, nothing_known
from tests.test_postmortem import HOSTILE, check_golden

ROOT = Path(__file__).resolve().parent.parent
#: Elements that a page of ours is made of.
ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body main p strong article h1 h2 h3 h4 h5 h6 ul ol li a em del s code pre "
        "blockquote hr br div table thead tbody tr th td section figure figcaption img svg desc rect line circle text",
    )
)


class Read(HTMLParser):
    """Every element of a page with its attributes, and what a reader reads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


def page_of(export: Export) -> Read:
    return Read(as_html.write(export).decode())


def check_harmless(read: Read) -> None:
    """Nothing runs, nothing is loaded, and links lead to the web, to mail or to a place in the page."""
    assert {tag for tag, _ in read.found} <= ELEMENTS
    ids = [attributes["id"] for _, attributes in read.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in read.found:
        assert not [name for name in attributes if name.startswith("on") or name in {"style", "srcset"}]
        if "src" in attributes:
            assert tag == "img" and attributes["src"].startswith("data:image/png;base64,")
        if "href" in attributes:
            assert tag == "a" and re.match(r"https?://|mailto:|#", attributes["href"])
            assert not attributes["href"].startswith("#") or attributes["href"][1:] in ids
    (policy,) = [one["content"] for one in read.all("meta") if "http-equiv" in one]
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy


def test_the_html_file_holds_all_of_it() -> None:
    export = export_of(login_outage("Europe/Berlin"), content=DOT)
    page = as_html.write(export).decode()
    check_golden("seed.html", page)
    check_harmless(Read(page))
    assert page == as_html.write(export).decode()


def test_the_policy_of_the_file_lets_its_own_style_through_and_no_other() -> None:
    page = as_html.write(export_of(nothing_known())).decode()
    (style,) = re.findall("(?s)<style>(.*?)</style>", page)
    (meta,) = [one for one in Read(page).all("meta") if "http-equiv" in one]
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in meta["content"]


def test_an_image_is_inside_and_its_link_leads_to_it() -> None:
    content = picture("PNG")
    read = page_of(export_of(login_outage(), content=content))
    (shown,) = read.all("img")
    assert base64.b64decode(shown["src"].partition(",")[2]) == content
    assert shown["alt"] == "failed-logins.png"
    assert {"href": "#image-2-1"} in read.all("a")
    assert "failed-logins.png: entry #2, June 3, 2024 10:30 UTC, Ana" in read.words


def test_an_image_that_was_not_kept_is_named_with_the_reason() -> None:
    read = page_of(export_of(login_outage()))
    assert read.all("img") == []
    assert "Not shown: It is larger than 10 MB." in read.words
    assert "https://example.slack.com/files/UANA/F1/failed-logins.png" in [
        one["href"] for one in read.all("a")
    ]


@pytest.mark.parametrize(
    "text", [*HOSTILE, '"><img src=x onerror=alert(1)>.png', "</style></title><script>1</script>"]
)
def test_hostile_texts_are_words(text: str) -> None:
    compiled = export_of(with_texts(login_outage(), text), content=DOT)
    check_harmless(page_of(compiled))
    # As a person may write it into a section, past all escaping of the draft.
    check_harmless(page_of(export_of(login_outage(), f"# {text}\n\n{text}\n\n## Timeline\n\n{text}\n", DOT)))
    read = json.loads(as_json.write(compiled))
    assert read["timeline"][0]["text_mrkdwn"] == text


def test_a_tables_columns_are_set_without_a_style() -> None:
    assert '<th class="to-right">' in html_of("| a | b |\n| --: | - |\n| 1 | 2 |\n")


def schema() -> Any:
    return json.loads((ROOT / "docs" / "postmortem-1.schema.json").read_text(encoding="utf-8"))


def test_the_json_file_says_all_of_it() -> None:
    export = export_of(login_outage("Europe/Berlin"), content=DOT)
    text = as_json.write(export).decode()
    check_golden("seed.json", text)
    read = json.loads(text)
    assert read["timeline"][0]["images"][0]["sha256"] == sha256(DOT).hexdigest()


@pytest.mark.parametrize("facts", [login_outage("Europe/Berlin"), nothing_known(), sample_facts()])
def test_the_json_file_is_what_its_schema_says_and_the_schema_names_no_more(facts: Any) -> None:
    read = as_json.told(export_of(facts, content=DOT))
    jsonschema.validate(read, schema(), format_checker=jsonschema.FormatChecker())
    assert list(schema()["properties"]) == list(read)
    for name, told in schema()["$defs"].items():
        if told.get("type") == "object":
            assert set(told["required"]) == set(told["properties"]), name


def test_the_pdf_says_the_same_and_loads_nothing() -> None:
    facts = login_outage("Europe/Berlin")
    outside = "![x](http://127.0.0.1:9/x.png)\n\nZeit für Ωμέγα, мир."
    markdown = f"{render(compile_draft(facts))}\n{outside}\n"
    try:
        content = as_pdf.write(export_of(facts, markdown, picture("PNG")))
    except Refusal as refused:
        assert "apt install" in refused.sentence
        missing("Pango is not installed.")
        return
    read = PdfReader(io.BytesIO(content))
    text = " ".join(" ".join(one.extract_text() for one in read.pages).split())
    assert (
        read.metadata is not None
        and read.metadata.title == "inc-0042 Logins fail across the web stack: postmortem"
    )
    for words in (
        "Published June 4, 2024",
        "Misleading paths",
        "Zeit für Ωμέγα, мир.",
        "failed-logins.png: entry #2",
    ):
        assert words in text
    assert any(page.images for page in read.pages)
    assert b"/JavaScript" not in content and b"/Launch" not in content
    # It is laid out by a process of its own: none of it is in this one.
    assert "weasyprint" not in sys.modules


def test_a_pdf_that_would_not_end_in_time_is_refused_at_once() -> None:
    if not as_pdf.is_ready():
        missing("The extra `pdf` is not installed.")
        return
    with pytest.raises(Refusal, match=r"2,000,001 characters.*HTML prints the same page"):
        as_pdf.write(export_of(nothing_known(), "x" * (as_pdf.MOST_TEXT + 1)))


def test_a_missing_extra_is_a_sentence_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "weasyprint" else found(name)
    )
    with pytest.raises(Refusal, match=r"pip install 'lantern-bot\[pdf\]'"):
        as_pdf.write(export_of(nothing_known()))
    assert set(exports.formats()) == {"html", "json", "md", "pdf"}
    assert set(exports.ready_formats()) == {"html", "json", "md"}


def test_from_the_command_line(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    room = opened(town)
    room.types("/log detection: alarms on login")
    monkeypatch.setenv("LANTERN_DATABASE_URL", town.house.db.url.render_as_string(hide_password=False))

    def lantern(*words: str) -> tuple[int, str]:
        status = main(["postmortem", *words])
        out, err = capfdbinary.readouterr()
        return status, (out if status == 0 else err).decode()

    number = str(room.number)
    assert lantern(number, "--format", "html") == (
        1,
        "inc-0001 has no draft yet. Compile one: lantern postmortem 1 --compile --by ana\n",
    )
    room.types("/postmortem compile")
    file = tmp_path / "inc.html"
    status, said = lantern(number, "--out", str(file))
    assert status == 0 and said.startswith(f"{file}: the postmortem of inc-0001, ")
    before = file.read_bytes()
    assert before.startswith(b"<!doctype html>") and b"alarms on login" in before
    assert lantern(number, "--format", "json", "--out", str(file)) == (
        1,
        f"{file} exists. Give another name, so that no older file is lost.\n",
    )
    assert file.read_bytes() == before
    assert json.loads(lantern(number, "--format", "json")[1])["incident"]["name"] == "inc-0001"
    assert lantern(number)[1] == lantern(number, "--format", "md")[1] != ""
    status, said = lantern(number, "--format", "docx")
    assert status == 1 and "“docx” is no format of a postmortem. There are html, json, md, pdf" in said
    assert "A PDF goes into a file" in lantern(number, "--format", "pdf")[1]
    status, said = lantern(number, "--out", str(tmp_path / "nowhere" / "x.md"))
    assert status == 1 and "cannot be written (No such file or directory)" in said
    assert [one.name for one in tmp_path.iterdir() if not one.name.startswith("lantern.db")] == ["inc.html"]
