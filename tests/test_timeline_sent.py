"""The drawn timeline goes with the draft: once, described, and never in its way."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from tests.houses import Town
from tests.rooms import opened
from tests.test_deliveries import HASTY

UPLOADS = ("files.getUploadURLExternal", "files.completeUploadExternal")


def told(town: Town, channel: str) -> list[str]:
    """What came with the draft, in order: names of files, and "summary"."""
    found = []
    for message in town.ana.messages(channel, 500):
        found += [str(file["name"]) for file in message.get("files") or []]
        if message["text"].startswith(":memo: *Postmortem draft of"):
            found.append("summary")
    return found


def kept(town: Town, name: str) -> Any:
    (found,) = [one for one in town.standin.workspace.files.values() if one.name == name and one.is_complete]
    return found


def test_answers_that_are_lost_double_neither_the_draft_nor_its_picture(database_url: str) -> None:
    with Town(database_url, rhythm=HASTY) as town:
        room = opened(town)
        room.types("/log detection: alarms on login")
        for method in UPLOADS:
            town.standin.fault(method, "drop_after", times=2)
        room.types("/incident close now")
        town.settled(30)
        draft, picture = "inc-0001-postmortem-r1.md", "inc-0001-timeline-r1.png"
        assert told(town, room.channel) == [draft, "summary", picture]
        # Each was shared once, its answer was lost, and it was looked for instead of shared again.
        assert [call.fault for call in town.standin.calls(UPLOADS[1])] == ["drop_after"] * 2
        assert len(town.standin.calls("files.info")) >= 2
        shown = kept(town, picture)
        assert Image.open(io.BytesIO(shown.content)).format == "PNG"
        assert shown.alt_text.startswith("Timeline of inc-0001: 3 entries (1 detection, 2 note).")
        assert "Key times: detected " in shown.alt_text and "Not known: impact started" in shown.alt_text


def test_a_picture_that_slack_has_no_room_for_keeps_nothing_back_and_alarms_nobody(sqlite_url: str) -> None:
    with Town(sqlite_url, rhythm=HASTY) as town:
        room = opened(town)
        picture = {"filename": "inc-0001-timeline-r1.png"}
        town.standin.fault(UPLOADS[0], "error", error="storage_limit_reached", where=picture, times=-1)
        room.types("/incident close now")
        room.types("/log note: one more")
        town.settled(30)
        assert told(town, room.channel) == ["inc-0001-postmortem-r1.md", "summary"]
        assert room.messages("one more")
        place = town.standin.workspace.direct_channel(town.app.bot_user_id, town.ana.id).id
        assert town.ana.messages(place) == []
