"""app.yaml says exactly what the code answers and calls."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.demo import manifest
from bot.slack.events import EVENTS
from bot.slack.shortcuts import SHORTCUTS
from bot.slack.words import gather_words
from bot.web.pages.sign_in import BACK

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "slack"

#: Method -> bot scopes of which one is needed (docs.slack.dev, methods; checked November 2026).
SCOPES: dict[str, tuple[str, ...]] = {
    "auth.test": (),
    "apps.connections.open": (),
    "bookmarks.add": ("bookmarks:write",),
    "bookmarks.edit": ("bookmarks:write",),
    "bookmarks.list": ("bookmarks:read",),
    "canvases.edit": ("canvases:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.postMessage": ("chat:write",),
    "chat.update": ("chat:write",),
    "conversations.archive": ("channels:manage", "groups:write"),
    "conversations.canvases.create": ("canvases:write",),
    "conversations.create": ("channels:manage", "groups:write"),
    "conversations.history": ("channels:history", "groups:history"),
    "conversations.info": ("channels:read", "groups:read"),
    "conversations.invite": ("channels:manage", "groups:write"),
    "conversations.members": ("channels:read", "groups:read"),
    "conversations.open": ("im:write",),
    "conversations.replies": ("channels:history", "groups:history"),
    "conversations.setPurpose": ("channels:manage", "groups:write"),
    "conversations.setTopic": ("channels:manage", "groups:write"),
    "files.completeUploadExternal": ("files:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.info": ("files:read",),
    "openid.connect.token": (),
    "pins.add": ("pins:write",),
    "pins.list": ("pins:read",),
    "reactions.add": ("reactions:write",),
    "reactions.get": ("reactions:read",),
    "users.conversations": ("channels:read", "groups:read"),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
}
#: Event -> bot scopes of which one is needed.
EVENT_SCOPES: dict[str, tuple[str, ...]] = {
    "app_home_opened": (),
    "channel_archive": ("channels:read",),
    "channel_id_changed": ("channels:read", "groups:read"),
    "channel_rename": ("channels:read",),
    "channel_unarchive": ("channels:read",),
    "group_archive": ("groups:read",),
    "group_rename": ("groups:read",),
    "group_unarchive": ("groups:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "member_left_channel": ("channels:read", "groups:read"),
    "pin_added": ("pins:read",),
    "reaction_added": ("reactions:read",),
    "user_change": ("users:read",),
}
#: Scopes that no single method asks for: chat.postMessage into a public channel the bot is not in.
OTHER_SCOPES = {"commands", "chat:write.public"}


def methods_called() -> set[str]:
    """Every Web API method that a string of bot/slack names."""
    found: set[str] = set()
    method = re.compile(
        r"(auth|apps|bookmarks|bots|canvases|chat|conversations|files|openid|pins|reactions|team|usergroups|users|views)\.[a-zA-Z.]+"
    )
    for path in [*(ROOT / "bot" / "slack").rglob("*.py"), ROOT / "bot" / "check.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and method.fullmatch(node.value)
            ):
                found.add(node.value)
    # Not a method: the plain POST of a file's bytes, named for its errors.
    return found - {"files.upload"}


def test_every_command_is_answered_and_every_answered_one_is_declared() -> None:
    declared = {one["command"] for one in manifest()["features"]["slash_commands"]}
    assert declared == gather_words().commands
    assert all(one["should_escape"] for one in manifest()["features"]["slash_commands"])


def test_every_shortcut_is_answered() -> None:
    assert {one["callback_id"] for one in manifest()["features"]["shortcuts"]} == set(SHORTCUTS)


def test_every_event_is_subscribed_to() -> None:
    assert set(manifest()["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)


def test_every_method_that_is_called_has_its_scopes_and_no_scope_is_idle() -> None:
    scopes = set(with_lines_of("canvas")["oauth_config"]["scopes"]["bot"])
    called = methods_called()
    assert called - {"auth.test", "apps.connections.open"}, "the search finds nothing any more"
    assert called <= set(SCOPES), f"say which scopes these need: {called - set(SCOPES)}"
    assert set(SCOPES) - called == set() or set(SCOPES) - called <= {"apps.connections.open"}
    needed = set(OTHER_SCOPES)
    for method in called:
        needed |= set(SCOPES[method])
    for event in EVENTS:
        needed |= set(EVENT_SCOPES[event])
    assert scopes == needed


def with_lines_of(what: str) -> dict[str, Any]:
    """app.yaml without the comment marks of the lines that are for something that is off by default."""
    text = (ROOT / "app.yaml").read_text(encoding="utf-8")
    read: dict[str, Any] = yaml.safe_load(text.replace(f"# {what}: ", ""))
    return read


def test_the_line_for_the_canvas_asks_for_its_scope_and_changes_nothing_else() -> None:
    read = with_lines_of("canvas")
    read["oauth_config"]["scopes"]["bot"].remove("canvases:write")
    assert read == manifest()


def test_the_lines_for_the_console_let_people_sign_in_and_change_nothing_else() -> None:
    oauth = with_lines_of("console")["oauth_config"]
    assert oauth["redirect_urls"] == [f"https://lantern.example.com{BACK}"]
    assert oauth["scopes"].pop("user") == ["openid"]
    assert oauth["scopes"] == manifest()["oauth_config"]["scopes"]


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
def test_slacks_own_schema_accepts_it(version: str) -> None:
    path = SHARED / "schemas" / f"manifest.schema.{version}.json"
    if not path.is_file():
        pytest.skip("Slack's manifest schema is not here; it is not part of this project.")
    for read in (manifest(), with_lines_of("console"), with_lines_of("canvas")):
        jsonschema.validate(read, json.loads(path.read_text(encoding="utf-8")))


def test_our_list_of_scopes_agrees_with_slacks_reference() -> None:
    path = SHARED / "reference" / "method_tiers_scopes.json"
    if not path.is_file():
        pytest.skip("Slack's method reference is not here; it is not part of this project.")
    reference: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for method, scopes in SCOPES.items():
        known = set(reference[method]["bot_scopes_any_of"] or ())
        if known:
            assert set(scopes) <= known, f"{method}: {scopes} are not among {known}"


def test_the_limits_of_a_manifest_are_kept() -> None:
    """Slack's reference of the app manifest: name 35, description 140, command name 32, shortcut name 24."""
    read = manifest()
    assert len(read["display_information"]["name"]) <= 35
    assert len(read["display_information"]["description"]) <= 140
    for command in read["features"]["slash_commands"]:
        assert len(command["command"]) <= 32
        assert command["description"] and len(command["description"]) <= 2000
    for shortcut in read["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24
