"""The main job, through real doors: open, log, lead, close, and the draft."""

from __future__ import annotations

from tests.houses import Town, said


def test_an_incident_opened_by_command_has_its_channel_card_and_announcement(town: Town) -> None:
    answer = town.ana.types("/incident open logins fail for half of the users sev2", "#general")
    assert "inc-0001" in said(answer)
    town.settled()
    about = town.incident()
    assert about.severity == "SEV2" and about.title == "logins fail for half of the users"
    channel = town.ana.channel("inc-0001-logins-fail-for-half-of-the-users")
    assert channel["is_member"] and channel["topic"].startswith("SEV2 investigating")
    messages = town.ana.messages(channel["id"])
    texts = [message["text"] for message in messages]
    assert any("inc-0001 SEV2 investigating" in text for text in texts), texts
    assert channel["pins"] == [about.header_ts]
    assert [one["title"] for one in channel["bookmarks"]] == ["Runbooks", "Postmortem"]
    assert any("logins fail" in message["text"] for message in town.ana.messages("#incidents"))


def test_what_is_logged_is_in_the_database_and_in_the_channel(town: Town) -> None:
    channel = town.opened()
    answer = town.ana.types("/log detection: alarms on login", channel)
    assert "Logged *#2*" in said(answer), answer
    town.settled()
    assert [(entry.kind.value, entry.text) for entry in town.entries()][-1] == (
        "detection",
        "alarms on login",
    )
    assert any("alarms on login" in message["text"] for message in town.ben.messages(channel))
