"""What Slack's error words mean for a call, and what a person can do about them, in a sentence.

The words are those that Slack documents for the methods Lantern calls (docs.slack.dev/reference/methods);
tests/test_slack_errors.py lists them method by method. A word that stands nowhere here is a new one.
"""

from __future__ import annotations

from enum import Enum


class Meaning(Enum):
    """What an `ok: false` says about the call and about the next one."""

    #: Too many calls: nothing happened, and the same call is fine later.
    SLOW_DOWN = "slow down"
    #: Slack is not well: the call may have had its effect.
    UNWELL = "unwell"
    #: Nothing happened, and nothing will until somebody has changed something; then the same call is fine.
    NOT_NOW = "not now"
    #: Slack will say the same tomorrow.
    FINAL = "final"
    #: A word that is not documented.
    UNFAMILIAR = "unfamiliar"


#: What Slack says to every call until somebody sets another token. Nothing is given up for it.
TOKEN_ERRORS = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})

_SLOW_DOWN = frozenset({"ratelimited", "rate_limited", "too_many_requests", "message_limit_exceeded"})

# fatal_error: "It's possible some aspect of the operation succeeded before the error was raised."
_UNWELL = frozenset(
    {
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "update_failed",
        "file_update_failed",
        "unable_to_share_files",
        "fetch_members_failed",
        "list_record_comment_fetch_failed",
        "channel_canvas_creation_failed",
        "canvas_creation_failed",
        "canvas_tab_creation_failed",
    }
)

_PUT_TOKEN = "Put the bot token of the installed app into SLACK_BOT_TOKEN."  # noqa: S105
_MIGRATION = (
    "Slack is moving the workspace to an Enterprise organization: it goes on when Slack has finished."
)
_NOT_NOW = {
    "invalid_auth": _PUT_TOKEN,
    "not_authed": _PUT_TOKEN,
    "token_revoked": "The app was uninstalled or its token revoked: install it again and set SLACK_BOT_TOKEN.",
    "token_expired": "Install the app again and set SLACK_BOT_TOKEN.",
    "account_inactive": "The app was removed from the workspace: install it again and set SLACK_BOT_TOKEN.",
    "team_added_to_org": _MIGRATION,
    "org_login_required": _MIGRATION,
    "external_channel_migrating": "Slack is moving the shared channel: it goes on when Slack has finished.",
    "accesslimited": "The workspace takes calls from some networks only: ask an admin to allow this one.",
    "ekm_access_denied": "Admins have suspended posting (Enterprise Key Management): ask them to allow it.",
    "streaming_state_conflict": "Slack is still writing that message.",
    "canvas_editing_locked": "Somebody's change of the canvas is being saved.",
}

_ASK_ADMIN = "A workspace setting forbids it: ask a workspace admin to let apps do this."
_BY_HAND = "Slack lets the bot not invite this person: invite them by hand."
_CHANNEL_NAME = "Slack does not take the channel's name: correct LANTERN_CHANNEL_NAME."
_FILES = "The workspace takes no such file: ask a workspace admin. The draft is kept: `/postmortem`."
_GONE = "It was deleted in Slack, or Slack does not let it be changed: there is nothing to do."
_OUR_MISTAKE = (
    "That is a mistake in Lantern: please report it with this word. Nothing that was logged is lost."
)
_PERSON = "That person is not in this workspace."
_PIN = "Slack does not pin that message: pin another one by hand."
_SPEAK = "Nobody may post there that way: ask a workspace admin, or use another channel."
_TOKEN_KIND = "Use the bot token (xoxb-...) as SLACK_BOT_TOKEN."  # noqa: S105
_PLAN = "The workspace's plan has no canvas for this channel: switch it off with LANTERN_CANVAS=off."
_TOO_BIG = "The text is too long for one Slack message: send it as a file."
_FORM = "Send the command again; the form opens within three seconds or not at all."

_FINAL = {
    "missing_scope": "Reinstall the app from app.yaml so that it gets this scope.",
    "not_allowed_token_type": _TOKEN_KIND,
    "is_bot": _TOKEN_KIND,
    "forbidden_team": _TOKEN_KIND,
    "enterprise_is_restricted": "Install the app in a workspace, not in the whole organization.",
    "team_not_found": "Install the app in a workspace, not in the whole organization.",
    "two_factor_setup_required": "The workspace asks for two-factor sign-in: ask a workspace admin.",
    "channel_not_found": "Invite the bot to that channel, or correct LANTERN_ANNOUNCE_CHANNEL.",
    "not_in_channel": "Invite the bot to the channel: /invite @Lantern.",
    "is_archived": "The channel is archived: unarchive it in Slack and invite the bot again.",
    "is_inactive": "The channel is archived: unarchive it in Slack and invite the bot again.",
    "channel_is_limited_access": "Invite the bot to the channel: /invite @Lantern.",
    "method_not_supported_for_channel_type": "Use an ordinary channel: Slack cannot do it in this kind.",
    "too_many_pins": "The channel has 100 pins already: take some away.",
    "too_many_bookmarks": "The channel has 100 bookmarks already: take some away.",
    "too_many_tabs": "The channel has all the tabs it may have: take some away.",
    "not_implemented": "This workspace has no bookmarks: there is nothing to do.",
    "user_is_restricted": "The bot's account, or the person's, is restricted: ask a workspace admin.",
    "name_taken": "All names that were tried are taken, also by archived channels: change LANTERN_CHANNEL_NAME.",
    "channel_canvas_already_exists": "People have made the channel's canvas: it stays as it is.",
    "canvas_too_large": "The canvas is full: take something out of it.",
    "not_enabled": "Switch on the Home tab of the app (App Home), as app.yaml does.",
    "messages_tab_disabled": "Switch on the Messages tab of the app (App Home), as app.yaml does.",
    "restricted_action_thread_locked": "An admin has locked the thread: ask them to open it.",
    "thread_locked": "An admin has locked the thread: ask them to open it.",
    "user_not_in_channel": "Invite that person to the channel, then ask again.",
    "storage_limit_reached": "The workspace's file storage is full: delete files, then ask for it again.",
    "file_upload_size_restricted": "The file is larger than this workspace allows: ask a workspace admin.",
}

# What Slack takes a call to have had before: an answer to a repeat, and nothing to tell anybody.
_HAD_BEFORE = (
    "already_in_channel already_pinned already_reacted already_archived cant_invite_self file_already_added"
)

#: Words of one remedy.
_ALIKE = {
    "": _HAD_BEFORE,
    _ASK_ADMIN: """restricted_action access_denied no_permission permission_denied app_access_restricted
        cannot_create_channel cant_archive_general cant_archive_required posting_to_channel_denied
        slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked slack_connect_clip_sharing_blocked
        slack_connect_file_link_sharing_blocked slack_connect_file_upload_sharing_blocked
        slack_connect_lists_sharing_blocked cannot_bookmark_restricted_sharing_enabled
        cannot_bookmark_from_external_org canvas_disabled_file_team canvas_disabled_user_team
        canvas_globally_disabled parent_bookmark_disabled template_not_visible send_on_behalf_not_allowed""",
    _PLAN: """team_tier_cannot_create_channel_canvases free_team_canvas_tab_already_exists
        free_teams_cannot_edit_standalone_canvases""",
    _SPEAK: """restricted_action_read_only_channel restricted_action_thread_only_channel
        restricted_action_non_threadable_channel cannot_reply_to_message cant_broadcast_message""",
    _BY_HAND: """cant_invite no_external_invite_permission invitee_cant_see_channel org_user_not_in_team
        ura_max_channels app_cannot_join_channel""",
    _PERSON: "user_not_found user_not_visible user_disabled invalid_user_combination not_enough_users",
    _CHANNEL_NAME: """invalid_name invalid_name_maxlength invalid_name_punctuation invalid_name_required
        invalid_name_specials no_channel""",
    _FILES: """file_uploads_disabled file_uploads_except_images_disabled file_type_not_allowed
        blocked_file_type snippet_too_large unknown_snippet_type unknown_subtype file_share_limit_reached
        max_file_sharing_exceeded""",
    _TOO_BIG: "msg_too_long too_long metadata_too_large attachment_payload_limit_exceeded",
    _PIN: "not_pinnable file_not_shared",
    _GONE: """message_not_found cant_update_message edit_window_closed not_reactable too_many_emoji
        too_many_reactions no_access not_found thread_not_found file_not_found file_deleted file_is_deleted
        not_visible block_mismatch file_comment_not_found canvas_not_found""",
    _FORM: "expired_trigger_id exchanged_trigger_id trigger_expired trigger_exchanged invalid_trigger_id",
    _OUR_MISTAKE: """invalid_arguments invalid_arg_name invalid_array_arg invalid_charset invalid_form_data
        invalid_post_type missing_post_type missing_argument missing_args invalid_json json_not_object
        unknown_method method_deprecated deprecated_endpoint insecure_request as_user_not_supported
        bad_timestamp invalid_blocks invalid_blocks_format msg_blocks_too_long no_text markdown_text_conflict
        invalid_attachments too_many_attachments too_many_contact_cards missing_file_data
        draft_already_deleted draft_already_sent draft_has_conflict draft_not_found
        duplicate_channel_not_found duplicate_message_not_found invalid_metadata_format
        invalid_metadata_schema metadata_must_be_sent_from_app invalid_metadata_filter_keys
        no_dual_broadcast_content_update no_item_specified no_user users_list_not_supplied too_many_users
        invalid_app_action_type invalid_bookmark_type invalid_child_type invalid_emoji invalid_entity_id
        invalid_link invalid_parent_type invalid_shortcut_type parent_with_link invalid_cursor invalid_limit
        invalid_types invalid_ts_latest invalid_ts_oldest alt_txt_too_large invalid_channel
        channels_limit_exceeded duplicate_external_id missing_profile_id view_too_large push_limit_reached hash_conflict
        canvas_editing_failed""",
}

_REMEDIES = (
    {word: sentence for sentence, words in _ALIKE.items() for word in words.split()} | _FINAL | _NOT_NOW
)


def meaning(error: str) -> Meaning:
    """What Slack's `error` says about the call."""
    if error in _SLOW_DOWN:
        return Meaning.SLOW_DOWN
    # Slack that says not even what is wrong is not well.
    if error in _UNWELL or not error:
        return Meaning.UNWELL
    if error in _NOT_NOW:
        return Meaning.NOT_NOW
    return Meaning.FINAL if error in _REMEDIES else Meaning.UNFAMILIAR


def remedy(error: str) -> str:
    """What to do about Slack's `error`; "" when there is nothing to say."""
    return _REMEDIES.get(error, "")
