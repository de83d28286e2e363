"""Every way in which a call to Slack can end badly: what it means, what is done about it, and who is told."""

from __future__ import annotations

import dataclasses
import logging
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.demo import manifest
from bot.domain import permit
from bot.domain.outcomes import RateLimited, Refused, Undelivered, Unfamiliar, Unknown, Unreachable
from bot.slack.client import Slack
from bot.slack.remedies import remedy
from bot.standin.installed import InstalledApp
from bot.standin.server import Standin
from tests.conftest import missing
from tests.crash_story import Seen, Story
from tests.houses import QUICK, Town, said, until
from tests.rooms import hasty_town

#: What Slack documents of every method (docs.slack.dev/reference/methods, November 2026).
EVERY_METHOD = """
    access_denied accesslimited account_inactive deprecated_endpoint ekm_access_denied
    enterprise_is_restricted fatal_error invalid_arg_name invalid_array_arg invalid_charset
    invalid_form_data invalid_post_type is_bot method_deprecated missing_post_type missing_scope
    no_permission not_allowed_token_type not_authed org_login_required ratelimited request_timeout
    service_unavailable team_added_to_org token_expired token_revoked two_factor_setup_required
    unknown_method
"""
#: And what it documents of each method that Lantern calls.
OF_METHOD = {
    "apps.connections.open": "forbidden_team insecure_request internal_error invalid_auth missing_args",
    "auth.test": "internal_error invalid_auth",
    "bookmarks.add": """
        cannot_bookmark_from_external_org cannot_bookmark_restricted_sharing_enabled channel_not_found
        file_already_added file_not_found invalid_app_action_type invalid_bookmark_type
        invalid_child_type invalid_emoji invalid_entity_id invalid_link invalid_parent_type
        invalid_shortcut_type not_implemented parent_bookmark_disabled parent_with_link
        permission_denied slack_connect_blocked_file_type slack_connect_clip_sharing_blocked
        slack_connect_file_upload_sharing_blocked too_many_bookmarks too_many_requests too_many_tabs
    """,
    "bookmarks.edit": """
        channel_not_found invalid_bookmark_type invalid_emoji invalid_link not_found not_implemented
        parent_with_link permission_denied slack_connect_blocked_file_type
        slack_connect_clip_sharing_blocked slack_connect_file_upload_sharing_blocked
    """,
    "bookmarks.list": "channel_not_found not_implemented",
    "canvases.edit": """
        canvas_disabled_user_team canvas_editing_failed canvas_editing_locked canvas_not_found
        canvas_too_large free_teams_cannot_edit_standalone_canvases restricted_action
    """,
    "chat.postEphemeral": """
        cannot_reply_to_message channel_not_found invalid_attachments invalid_blocks
        invalid_blocks_format is_archived markdown_text_conflict message_limit_exceeded
        messages_tab_disabled msg_too_long no_text not_in_channel restricted_action too_many_attachments
        user_not_in_channel
    """,
    "chat.postMessage": """
        app_access_restricted as_user_not_supported attachment_payload_limit_exceeded
        cannot_reply_to_message channel_not_found draft_already_deleted draft_already_sent
        draft_has_conflict draft_not_found duplicate_channel_not_found duplicate_message_not_found
        invalid_blocks invalid_blocks_format invalid_metadata_format invalid_metadata_schema is_archived
        markdown_text_conflict message_limit_exceeded messages_tab_disabled
        metadata_must_be_sent_from_app metadata_too_large missing_file_data msg_blocks_too_long no_text
        not_in_channel rate_limited restricted_action restricted_action_non_threadable_channel
        restricted_action_read_only_channel restricted_action_thread_locked
        restricted_action_thread_only_channel send_on_behalf_not_allowed
        slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked
        slack_connect_lists_sharing_blocked team_not_found too_many_attachments too_many_contact_cards
    """,
    "chat.update": """
        as_user_not_supported block_mismatch blocked_file_type cant_broadcast_message
        cant_update_message channel_not_found edit_window_closed external_channel_migrating file_deleted
        file_is_deleted file_not_found file_share_limit_reached invalid_attachments invalid_blocks
        invalid_blocks_format invalid_metadata_format invalid_metadata_schema is_inactive
        markdown_text_conflict max_file_sharing_exceeded message_limit_exceeded message_not_found
        metadata_must_be_sent_from_app metadata_too_large msg_too_long no_dual_broadcast_content_update
        no_text posting_to_channel_denied slack_connect_blocked_file_type
        slack_connect_canvas_sharing_blocked slack_connect_clip_sharing_blocked
        slack_connect_file_link_sharing_blocked slack_connect_file_upload_sharing_blocked
        streaming_state_conflict team_not_found too_many_attachments unable_to_share_files update_failed
    """,
    "conversations.archive": """
        already_archived cant_archive_general cant_archive_required channel_not_found
        method_not_supported_for_channel_type not_in_channel restricted_action
    """,
    "conversations.canvases.create": """
        canvas_creation_failed canvas_disabled_user_team canvas_tab_creation_failed
        channel_canvas_already_exists channel_canvas_creation_failed free_team_canvas_tab_already_exists
        restricted_action team_tier_cannot_create_channel_canvases
    """,
    "conversations.create": """
        cannot_create_channel canvas_disabled_user_team invalid_name invalid_name_maxlength
        invalid_name_punctuation invalid_name_required invalid_name_specials missing_argument name_taken
        no_channel restricted_action
    """,
    "conversations.history": """
        channel_is_limited_access channel_not_found invalid_cursor invalid_metadata_filter_keys
        invalid_ts_latest invalid_ts_oldest not_in_channel
    """,
    "conversations.info": "channel_is_limited_access channel_not_found",
    "conversations.invite": """
        already_in_channel app_cannot_join_channel cant_invite cant_invite_self channel_not_found
        external_channel_migrating invitee_cant_see_channel is_archived
        method_not_supported_for_channel_type no_external_invite_permission no_user not_in_channel
        org_user_not_in_team ura_max_channels user_is_restricted user_not_found
    """,
    "conversations.members": """
        channel_not_found fetch_members_failed invalid_cursor invalid_limit
        method_not_supported_for_channel_type
    """,
    "conversations.open": """
        channel_not_found invalid_user_combination method_not_supported_for_channel_type
        not_enough_users too_many_users user_disabled user_not_found user_not_visible
        users_list_not_supplied
    """,
    "conversations.replies": """
        channel_not_found invalid_cursor invalid_metadata_filter_keys invalid_ts_latest
        invalid_ts_oldest list_record_comment_fetch_failed method_not_supported_for_channel_type
        thread_not_found
    """,
    "conversations.setPurpose": """
        channel_not_found is_archived method_not_supported_for_channel_type not_in_channel too_long
        user_is_restricted
    """,
    "conversations.setTopic": """
        channel_not_found is_archived method_not_supported_for_channel_type not_in_channel too_long
        user_is_restricted
    """,
    "files.completeUploadExternal": """
        channel_not_found channels_limit_exceeded file_not_found file_type_not_allowed
        file_update_failed file_uploads_except_images_disabled invalid_blocks invalid_channel
        not_in_channel posting_to_channel_denied
    """,
    "files.getUploadURLExternal": """
        alt_txt_too_large file_type_not_allowed file_upload_size_restricted file_uploads_disabled
        file_uploads_except_images_disabled missing_argument snippet_too_large storage_limit_reached
        unknown_snippet_type unknown_subtype
    """,
    "files.info": """
        canvas_disabled_file_team canvas_disabled_user_team canvas_globally_disabled file_deleted
        file_not_found not_visible slack_connect_canvas_sharing_blocked template_not_visible
    """,
    "pins.add": """
        already_pinned bad_timestamp channel_not_found external_channel_migrating file_not_found
        file_not_shared message_not_found no_item_specified not_in_channel not_pinnable
        restricted_action too_many_pins
    """,
    "reactions.add": """
        already_reacted bad_timestamp channel_not_found external_channel_migrating invalid_name
        is_archived message_not_found no_access no_item_specified not_reactable thread_locked
        too_many_emoji too_many_reactions
    """,
    "reactions.get": """
        bad_timestamp channel_not_found file_comment_not_found file_not_found message_not_found
        no_item_specified
    """,
    "users.conversations": """
        invalid_cursor invalid_limit invalid_types method_not_supported_for_channel_type
        missing_argument
    """,
    "users.info": "too_many_users user_not_found user_not_visible",
    "views.open": """
        duplicate_external_id exchanged_trigger_id expired_trigger_id invalid_trigger_id view_too_large
    """,
    "views.publish": """
        duplicate_external_id hash_conflict missing_profile_id not_enabled not_implemented view_too_large
    """,
}
#: Words that do not say: Slack will answer the same tomorrow.
OTHERWISE: dict[str, type[Undelivered]] = {
    **dict.fromkeys(
        ("ratelimited", "rate_limited", "too_many_requests", "message_limit_exceeded"), RateLimited
    ),
    **dict.fromkeys(
        (
            "fatal_error",
            "internal_error",
            "request_timeout",
            "service_unavailable",
            "update_failed",
            "file_update_failed",
            "unable_to_share_files",
            "fetch_members_failed",
            "list_record_comment_fetch_failed",
            "channel_canvas_creation_failed",
            "canvas_creation_failed",
            "canvas_tab_creation_failed",
        ),
        Unknown,
    ),
    **dict.fromkeys(
        (
            "not_authed",
            "invalid_auth",
            "token_revoked",
            "token_expired",
            "account_inactive",
            "team_added_to_org",
            "org_login_required",
            "external_channel_migrating",
            "accesslimited",
            "ekm_access_denied",
            "streaming_state_conflict",
            "canvas_editing_locked",
        ),
        Unreachable,
    ),
}
#: What a repeat is answered; there is nothing to tell anybody.
HAD_BEFORE = {
    "already_archived",
    "already_in_channel",
    "already_pinned",
    "already_reacted",
    "cant_invite_self",
    "file_already_added",
}


@pytest.fixture(scope="module")
def workspace() -> Iterator[Standin]:
    with Standin(limits=False) as here:
        yield here


@pytest.fixture(scope="module")
def app(workspace: Standin) -> InstalledApp:
    return workspace.install(manifest())


@pytest.fixture
def slack(workspace: Standin, app: InstalledApp) -> Iterator[Slack]:
    yield Slack(app.bot_token, workspace.api_url)
    workspace.clear_faults()


def outcome(slack: Slack, method: str) -> Undelivered:
    with pytest.raises(Undelivered) as ended:
        slack.call(method, channel="#general", text="hello")
    return ended.value


@pytest.mark.parametrize("method", OF_METHOD)
def test_every_documented_word_of_a_method_is_known_for_what_it_means(
    workspace: Standin, slack: Slack, method: str
) -> None:
    for word in {*EVERY_METHOD.split(), *OF_METHOD[method].split()}:
        workspace.fault(method, "error", error=word)
        found = outcome(slack, method)
        expected = OTHERWISE.get(word, Refused)
        # Of itself, auth.test says to whoever starts Lantern that the token will not do.
        if method == "auth.test" and word in {"not_authed", "invalid_auth"} | {
            one for one in OTHERWISE if one.startswith(("token_", "account_"))
        }:
            expected = Refused
        assert type(found) is expected, f"{method}: {word} is {found!r}"
        if isinstance(found, Refused):
            assert found.word == word
            assert bool(found.remedy) != (word in HAD_BEFORE), word
        if isinstance(found, Unreachable):
            assert remedy(word) in str(found) and remedy(word)


def test_a_word_that_is_not_documented_is_not_taken_for_one_that_is(workspace: Standin, slack: Slack) -> None:
    workspace.fault("pins.add", "error", error="brand_new_word")
    found = outcome(slack, "pins.add")
    assert isinstance(found, Unfamiliar)
    assert "brand_new_word" in found.sentence and "methods/pins.add" in found.sentence


def test_what_slack_adds_to_its_word_is_told_and_does_not_hide_the_word(
    workspace: Standin, slack: Slack
) -> None:
    said = ("[WARN] no charset", "[ERROR] must be shorter [json-pointer:/blocks/0]")
    workspace.fault("chat.postMessage", "error", error="invalid_blocks", messages=said)
    found = outcome(slack, "chat.postMessage")
    assert isinstance(found, Refused) and found.word == "invalid_blocks"
    assert found.error == "invalid_blocks: [ERROR] must be shorter [json-pointer:/blocks/0]"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "-3"}, 1),
        ({"Retry-After": "9" * 30}, 900),
        ({}, 5),
        ({"Retry-After": "soon"}, 5),
        ({"Retry-After": "nan"}, 5),
        ({"Retry-After": "1e999"}, 5),
        ({"Retry-After": "Wed, 18 Nov 2026 10:00:20 GMT", "Date": "Wed, 18 Nov 2026 10:00:00 GMT"}, 20),
        ({"Retry-After": "Wed, 18 Nov 2026 10:00:20 GMT", "Date": "today"}, 5),
    ],
)
@pytest.mark.parametrize("body", ['{"ok": false, "error": "ratelimited"}', "<html>Slow down</html>"])
def test_a_429_is_waited_out_for_as_long_as_it_says_or_a_while(
    workspace: Standin, slack: Slack, headers: dict[str, str], seconds: float, body: str
) -> None:
    workspace.fault("chat.postMessage", "raw", status=429, headers=headers, body=body)
    found = outcome(slack, "chat.postMessage")
    assert isinstance(found, RateLimited)
    assert found.retry_after == seconds


@pytest.mark.parametrize(
    "answer",
    [
        {
            "status": 500,
            "body": "<html><h1>Internal error</h1></html>",
            "headers": {"Content-Type": "text/html"},
        },
        {"status": 502, "body": ""},
        {"status": 503, "body": '{"ok": false, "error": "channel_not_found"}'},
        {"status": 504, "body": "{}", "headers": {"Content-Type": "text/html; charset=klingon"}},
        {"status": 200, "body": '{"ok": true, "ts": "17'},
        {"status": 200, "body": ""},
        {"status": 200, "body": "<html>Log in to the network</html>"},
        {"status": 200, "body": "null"},
        {"status": 200, "body": "7"},
        {"status": 200, "body": '["ok"]'},
        {"status": 200, "body": "{}"},
        {"status": 200, "body": "[" * 100_000},
        {"status": 200, "body": "é", "headers": {"Content-Type": "application/json; charset=ascii"}},
        {"status": 403, "body": "<html>The proxy forbids it</html>"},
    ],
    ids=lambda answer: f"{answer['status']} {answer['body'][:20]}",
)
def test_an_answer_that_says_nothing_leaves_open_whether_it_was_done(
    workspace: Standin, slack: Slack, answer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    workspace.fault("chat.postMessage", "raw", **answer)
    found = outcome(slack, "chat.postMessage")
    assert type(found) is Unknown
    assert len(str(found)) < 320 and "\n" not in str(found)
    assert [one for one in caplog.records if one.levelno > logging.INFO] == []


@pytest.mark.parametrize("trouble", ["drop_before", "drop_after", "halfway", "hang"])
def test_an_answer_that_never_comes_leaves_open_whether_it_was_done(
    workspace: Standin, app: InstalledApp, trouble: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.client._WRITE_TIMEOUT", 0.5)
    workspace.fault("chat.postMessage", trouble)
    found = outcome(Slack(app.bot_token, workspace.api_url), "chat.postMessage")
    assert type(found) is Unknown
    assert app.bot_token not in str(found)


def test_an_upload_that_is_not_taken_is_done_again(workspace: Standin, slack: Slack) -> None:
    with pytest.raises(Unknown, match=r"files.upload answered 40\d"):
        slack.upload(f"{workspace.url}/upload/FNOTHERE", b"a draft")


def test_a_silent_slack_is_not_waited_for_by_everybody_and_asked_again_once_it_speaks(
    workspace: Standin, app: InstalledApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack.client._READ_TIMEOUT", 0.3)
    slack = Slack(app.bot_token, workspace.api_url)
    workspace.fault("users.info", "hang", times=-1)
    workspace.faults.forget_calls()
    for _ in range(5):
        with pytest.raises(Undelivered):
            slack.ask("users.info", user="U0ANA00000")
    assert len(workspace.calls("users.info")) == 1
    workspace.clear_faults()
    slack.call("auth.test")
    assert slack.ask("users.info", user="U0ANA00000")["user"]["name"] == "ana"


# It never went out


def test_where_nobody_listens_nothing_was_done() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = outcome(Slack("xoxb-secret", f"http://127.0.0.1:{port}/api/"), "chat.postMessage")
    assert type(found) is Unreachable and "secret" not in str(found)


def test_a_name_that_does_not_resolve_means_that_nothing_was_done() -> None:
    found = outcome(Slack("xoxb-secret", "https://slack.invalid/api/"), "chat.postMessage")
    assert type(found) is Unreachable and "secret" not in str(found)


def test_a_port_that_speaks_no_tls_means_that_nothing_was_done(workspace: Standin) -> None:
    place = workspace.api_url.replace("http://", "https://")
    found = outcome(Slack("xoxb-secret", place), "chat.postMessage")
    assert type(found) is Unreachable and "SSL" in str(found)


def test_a_lease_that_ran_out_on_the_way_means_that_nothing_was_done(
    slack: Slack, workspace: Standin
) -> None:
    # The connection is up and the headers are out when it is asked: a process may have stood still meanwhile.
    before = len(workspace.calls())
    with permit.only_while(lambda: False):
        found = outcome(slack, "chat.postMessage")
    assert type(found) is Unreachable and "lease" in str(found)
    assert slack.call("auth.test")["ok"]
    assert [call.method for call in workspace.calls()[before:]] == ["auth.test"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 and its key in one file, signed by nobody."""
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    try:
        subprocess.run(
            [*new, "-keyout", file, "-out", f"{file}.crt", *names], check=True, capture_output=True
        )
    except FileNotFoundError:
        missing("openssl is not installed, so no certificate can be made.")
    with file.open("a") as both:
        both.write(Path(f"{file}.crt").read_text())
    return file


class TlsPort:
    """Takes one TLS connection, reads what comes, and hangs up in the middle of an answer."""

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.api_url = f"https://127.0.0.1:{self._listener.getsockname()[1]}/api/"
        self.heard = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        caller, _ = self._listener.accept()
        caller.settimeout(20)
        try:
            with self._context.wrap_socket(caller, server_side=True) as call:
                while b"hello" not in self.heard:
                    self.heard += call.recv(65536)
                call.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")
        except OSError:
            return

    def close(self) -> None:
        self._thread.join(20)
        self._listener.close()


def test_a_certificate_that_nobody_trusts_means_that_nothing_was_sent(certificate: Path) -> None:
    port = TlsPort(certificate)
    try:
        found = outcome(Slack("xoxb-secret", port.api_url), "chat.postMessage")
    finally:
        port.close()
    assert type(found) is Unreachable and "CERTIFICATE_VERIFY_FAILED" in str(found)
    assert port.heard == b"" and "secret" not in str(found)


def test_tls_that_breaks_after_the_request_leaves_open_whether_it_was_done(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
    port = TlsPort(certificate)
    try:
        found = outcome(Slack("xoxb-secret", port.api_url), "chat.postMessage")
    finally:
        port.close()
    assert b"hello" in port.heard
    assert type(found) is Unknown


# What a person sees of it

PATIENT = dataclasses.replace(
    QUICK,
    settle_for=timedelta(seconds=0.05),
    back_off_from=timedelta(seconds=0.02),
    back_off_to=timedelta(seconds=0.05),
    give_up_unfamiliar_after=timedelta(seconds=0.3),
)
#: What the person is told of when a method is refused for good.
TOLD = {
    "conversations.invite": "The invitation",
    "conversations.setTopic": "The topic",
    "conversations.setPurpose": "The channel's description",
    "pins.add": "The pin on the card",
    "bookmarks.add": "The bookmarks",
    "chat.update": "A change of the card, The announcement",
    "reactions.add": "The mark under a logged message",
    "files.getUploadURLExternal": "The postmortem draft",
    "conversations.archive": "Archiving the channel",
}
TOLD_LATER = {
    "reactions.get": "The message you pinned",
    "bookmarks.edit": "The bookmarks",
}
TOLD_LAST = {"files.completeUploadExternal": "The postmortem draft"}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with hasty_town(tmp_path_factory.mktemp("errors"), rhythm=PATIENT) as here:
        here.ana.invites("#incidents", here.app.bot_user_id)
        yield here


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO):
        yield
    assert [one.getMessage() for one in caplog.records if one.exc_info] == []


def told(town: Town) -> list[str]:
    """What Lantern told ana alone."""
    place = town.standin.workspace.direct_channel(town.app.bot_user_id, town.ana.id).id
    return [one["text"] for one in town.ana.messages(place)]


def story_of(town: Town) -> Story:
    return Story(town.standin, town.ana, town.ben, lambda: town.settled(30))


@pytest.mark.parametrize(
    ("refused", "word", "advice"),
    [
        (TOLD, "access_denied", "workspace admin"),
        (TOLD_LATER, "access_denied", "workspace admin"),
        (TOLD_LAST, "access_denied", "workspace admin"),
        (TOLD, "brand_new", "Look it up"),
    ],
    ids=["from the start", "later", "last", "in an unknown word"],
)
def test_whoever_asked_is_told_once_what_slack_will_not_do_and_what_helps(
    town: Town, refused: dict[str, str], word: str, advice: str
) -> None:
    before = len(told(town))
    for method in refused:
        town.standin.fault(method, "error", error=word, times=-1)
    try:
        story = story_of(town)
        story.open()
        for line in ("/incident severity sev1", "/log note: seen"):
            town.ana.types(line, story.channel)
        town.ana.joins(story.channel)
        message = town.ana.says(story.channel, "look at this")
        town.ana.reacts(message, "pushpin", story.channel)
        until(
            lambda: len(town.entries(story.number)) > 2 or "reactions.get" in refused, 20, "it was not logged"
        )
        town.settled(30)
        assert "closed" in said(town.ana.types("/incident close now", story.channel)).lower()
        town.settled(30)
        town.ana.types("/incident archive", story.channel)
        town.settled(30)
    finally:
        town.standin.clear_faults()
    sentences = told(town)[before:]
    assert all(word in one and advice in one and "kept" in one for one in sentences)
    assert sorted(one.partition(" for inc-")[0] for one in sentences) == sorted(
        ", ".join(refused.values()).split(", ")
    )


@pytest.fixture(scope="module")
def untroubled(town: Town) -> Seen:
    return story_of(town).tell()


@pytest.mark.parametrize(
    "trouble",
    [
        {"kind": "error", "error": "fatal_error", "is_done": True},
        {"kind": "error", "error": "team_added_to_org"},
        {"kind": "error", "error": "brand_new_word", "is_done": True},
    ],
    ids=lambda trouble: " ".join(str(one) for one in trouble.values()),
)
def test_trouble_of_slacks_own_at_every_call_changes_nothing(
    town: Town, untroubled: Seen, trouble: dict[str, Any]
) -> None:
    story = story_of(town)
    before = len(told(town))
    methods = (*TOLD, *TOLD_LATER, *TOLD_LAST, "conversations.create", "chat.postMessage")

    def meet(_step: str) -> None:
        town.standin.clear_faults()
        for method in methods:
            town.standin.fault(method, **trouble)

    story.before = meet
    try:
        seen = story.tell()
    finally:
        town.standin.clear_faults()
    assert dataclasses.asdict(seen) == dataclasses.asdict(untroubled)
    assert told(town)[before:] == []
