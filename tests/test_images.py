"""Images of the timeline: fetched once from Slack and nowhere else, kept, shown to whom they may be shown."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from bot import web
from bot.domain.timeline import StoredImage
from bot.image_check import Looked, NotAnImage, looked_at
from bot.slack.download import is_slacks
from bot.store import image as images
from bot.usecases import archive, export
from bot.usecases.images import LARGEST
from tests.houses import Town
from tests.pictures import DOT, picture
from tests.rooms import Room, hasty_town, opened
from tests.test_deliveries import HASTY
from tests.visiting import Visitor

API = "https://slack.com/api/"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_what_browsers_draw_is_kept(kind: str) -> None:
    assert looked_at(picture(kind)) == Looked(f"image/{kind.lower()}", 40, 30)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x89PNG\r\n\x1a\n",
        picture()[:60],
        picture()[:-30] + b"\0" * 30,
        b"<!doctype html><title>Sign in</title>",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7",
        picture("BMP"),
        picture("TIFF"),
    ],
)
def test_what_is_no_such_picture_is_not(content: bytes) -> None:
    with pytest.raises(NotAnImage, match="PNG, JPEG, GIF and WebP are kept"):
        looked_at(content)


@pytest.mark.parametrize("sides", [(8_000, 7_000), (2**31 - 1, 2**31 - 1)])
def test_a_picture_that_unpacks_to_gigabytes_is_not_unpacked(sides: tuple[int, int]) -> None:
    width, height = (side.to_bytes(4, "big") for side in sides)
    with pytest.raises(NotAnImage):
        looked_at(DOT[:16] + width + height + DOT[24:])


@pytest.mark.parametrize(
    ("url", "api", "is_so"),
    [
        ("https://files.slack.com/files-pri/T1-F1/download/a.png", API, True),
        ("https://slack.com/files-pri/T1-F1/a.png", API, True),
        ("https://files.slack-gov.com/files-pri/T1-F1/a.png", "https://slack-gov.com/api/", True),
        ("http://127.0.0.1:4711/files-pri/T1-F1/a.png", "http://127.0.0.1:4711/api/", True),
        ("http://files.slack.com/files-pri/T1-F1/a.png", API, False),
        ("https://files.slack.com:8443/a.png", API, False),
        ("https://evilslack.com/a.png", API, False),
        ("https://slack.com.example.com/a.png", API, False),
        ("https://slack.com@example.com/a.png", API, False),
        ("https://someone:secret@files.slack.com/a.png", API, False),
        ("https://example.com/?slack.com", API, False),
        ("http://127.0.0.1:4712/a.png", "http://127.0.0.1:4711/api/", False),
        ("file:///etc/passwd", API, False),
        ("//files.slack.com/a.png", API, False),
        ("https://[slack.com/a.png", API, False),
        ("", API, False),
    ],
)
def test_the_token_goes_to_slacks_own_host_alone(url: str, api: str, is_so: bool) -> None:
    assert is_slacks(url, api) is is_so


def logged(town: Town, room: Room, content: bytes, name: str = "graph.png") -> str:
    """Post an image into the room and put it on the timeline; gives the file's id."""
    shown = town.ana.uploads(room.channel, name, content, f"see {name}")
    town.ana.reacts(shown["ts"], "pushpin", room.channel)
    room.only(f"see {name}")
    town.settled()
    return str(shown["file_id"])


def kept(town: Town, room: Room) -> dict[str, StoredImage]:
    with town.house.db.reading() as session:
        return images.of(session, room.about.id)


def test_an_image_is_kept_once_whatever_slack_does_and_is_in_every_paper(
    database_url: str, tmp_path: Path
) -> None:
    with Town(database_url, rhythm=HASTY) as town:
        room = opened(town)
        town.standin.fault("files.info", "drop_after", times=2)
        town.standin.fault("files.download", "raw", status=503, times=1)
        town.standin.fault("files.download", "raw", status=429, headers={"retry-after": "1"}, times=1)
        content = picture()
        file_id = logged(town, room, content)
        found = kept(town, room)
        assert list(found) == [file_id]
        stored = found[file_id]
        assert (stored.mimetype, stored.size, stored.note) == ("image/png", len(content), "")
        assert (stored.sha256, stored.width, stored.height) == (sha256(content).hexdigest(), 40, 30)
        assert [one.fault for one in town.standin.calls("files.download")] == ["raw", "raw", None]

        # Marked again after an undo it is not fetched again.
        room.types("/log undo 2")
        room.types("/postmortem compile")
        page = export.paper_of(town.house.desk, room.number, "html", by=town.ana.id).content
        assert b"<img" not in page
        with town.house.db.reading() as session:
            assert images.content(session, room.about.id, file_id) == content
        before = archive.export(town.house.desk, tmp_path / "one.zip", [room.number])
        assert before.incidents == [room.number]
        with zipfile.ZipFile(tmp_path / "one.zip") as packed:
            rows = packed.read(f"{room.about.slug}/rows.jsonl").decode()
        assert rows.count('"table":"image"') == 1 and stored.sha256 in rows
        assert len(town.standin.calls("files.download")) == 3


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("images"), rhythm=HASTY, console=True) as here:
        yield here


def direct_words(town: Town) -> list[str]:
    place = town.standin.workspace.direct_channel(town.app.bot_user_id, town.ana.id).id
    return [one["text"] for one in town.ana.messages(place)]


def test_what_cannot_be_kept_has_a_note_and_alarms_nobody(town: Town) -> None:
    room = opened(town)
    # Slack redirects whom it gives nothing; where it leads, the token does not follow.
    town.standin.clear_faults()
    calls = len(town.standin.calls("files.download"))
    elsewhere = {"location": f"{town.standin.url}/files-pri/T1-F1/elsewhere.png"}
    town.standin.fault("files.download", "raw", status=302, headers=elsewhere, times=1)
    notes = {
        logged(town, room, picture(), "refused.png"): "Slack does not give it to Lantern.",
        logged(town, room, picture() + b"\0" * LARGEST, "large.png"): "It is larger than 10 MB",
        logged(town, room, b"<script>alert(1)</script>", "script.png"): "It is no image that can be read",
    }
    assert len(town.standin.calls("files.download")) == calls + 2
    logged(town, room, b"words", "notes.txt")
    found = kept(town, room)
    assert set(found) == set(notes)
    for file_id, note in notes.items():
        assert found[file_id].note.startswith(note) and found[file_id].size == 0
    assert direct_words(town) == []
    visitor = Visitor(town)
    visitor.signs_in(town.ana.id)
    page = visitor.asks("GET", f"/incidents/{room.number}/entries/2/images/1")
    assert page.status == 404 and "Slack does not give it to Lantern. In Slack it is at" in page.words


def test_the_console_shows_an_image_of_an_entry_that_stands_and_hands_papers_over(town: Town) -> None:
    room = opened(town)
    content = picture("GIF")
    # By its content, whatever its name says.
    logged(town, room, content, "really-a-gif.png")
    visitor = Visitor(town)
    visitor.signs_in(town.ben.id)
    path = f"/incidents/{room.number}/entries/2/images/1"
    shown = visitor.asks("GET", path, headers={"Accept-Encoding": "gzip"})
    assert shown.status == 200 and shown.text.encode("utf-8", "surrogateescape") == content
    assert shown.headers["content-type"] == "image/gif"
    assert shown.headers["content-disposition"] == f'inline; filename="{room.about.slug}-entry-2-image-1.gif"'
    assert shown.headers["content-security-policy"].startswith("default-src 'none'; sandbox;")
    assert (
        shown.headers["x-content-type-options"] == "nosniff" and shown.headers["cache-control"] == "no-store"
    )
    for wrong in (f"{path[:-1]}2", f"{path[:-1]}0", path.replace("/2/", "/1/"), path.replace("/2/", "/99/")):
        assert visitor.asks("GET", wrong).status == 404

    assert "has no postmortem yet" in visitor.asks("GET", f"/incidents/{room.number}/postmortem.html").words
    room.types("/postmortem compile")
    paper = visitor.asks("GET", f"/incidents/{room.number}/postmortem.html")
    assert paper.status == 200 and 'src="data:image/gif;base64,' in paper.text
    name = f"{room.about.slug}-postmortem-1"
    assert paper.headers["content-disposition"] == f'attachment; filename="{name}.html"'
    assert (
        visitor.asks("GET", f"/incidents/{room.number}/postmortem.json").headers["content-type"]
        == "application/json"
    )
    assert visitor.asks("GET", f"/incidents/{room.number}/postmortem.md").text.startswith("# ")

    room.types("/log undo 2", by=town.ana)
    assert visitor.asks("GET", path).status == 404


def test_the_links_to_all_papers_are_one_include(town: Town) -> None:
    room = opened(town)
    sheets = Environment(loader=FileSystemLoader(Path(web.__file__).parent / "templates"), autoescape=True)
    sheets.globals["formats"] = export.ready_formats()
    read = sheets.get_template("exports.html.j2").render(about=room.about)
    links = re.findall('href="([^"]+)" download>([^<]+)<', read)
    assert (f"/incidents/{room.number}/postmortem.html", "HTML") in links
    assert len(links) == len(export.ready_formats())


def test_slack_gives_a_file_to_a_bot_that_may_read_it_alone(town: Town) -> None:
    room = opened(town)
    file_id = logged(town, room, picture(), "ours.png")
    file = town.standin.workspace.files[file_id]
    path = f"/files-pri/{town.standin.workspace.team['id']}-{file_id}/download/{file.name}"
    visitor = Visitor(town, town.standin.url)

    def answer(token: str) -> int:
        return visitor.asks("GET", path, headers={"Authorization": f"Bearer {token}"}).status

    assert (answer(town.app.bot_token), answer("xoxb-other"), answer("")) == (200, 302, 302)
