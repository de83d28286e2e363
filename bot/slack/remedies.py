"""What a person can do about a refusal of Slack's, in a sentence."""

from __future__ import annotations

#: What Slack says to every call until somebody sets another token. Nothing is given up for it.
TOKEN_ERRORS = frozenset({"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive"})

_REMEDIES = {
    "missing_scope": "Reinstall the app from app.yaml so that it gets this scope.",
    "not_allowed_token_type": "Use the bot token (xoxb-...) as SLACK_BOT_TOKEN.",
    "invalid_auth": "Put the bot token of the installed app into SLACK_BOT_TOKEN.",
    "not_authed": "Put the bot token of the installed app into SLACK_BOT_TOKEN.",
    "token_revoked": "The app was uninstalled or its token revoked: install it again and set SLACK_BOT_TOKEN.",
    "token_expired": "Install the app again and set SLACK_BOT_TOKEN.",
    "account_inactive": "The app was removed from the workspace: install it again and set SLACK_BOT_TOKEN.",
    "restricted_action": "A workspace setting forbids it: ask a workspace admin to let apps do this.",
    "user_is_restricted": "The bot's account is restricted: ask a workspace admin.",
    "channel_not_found": "Invite the bot to that channel, or correct LANTERN_ANNOUNCE_CHANNEL.",
    "not_in_channel": "Invite the bot to the channel: /invite @Lantern.",
    "is_archived": "The channel is archived: unarchive it in Slack and invite the bot again.",
    "too_many_pins": "The channel has 100 pins already: take some away.",
    "too_many_bookmarks": "The channel has 100 bookmarks already: take some away.",
    "cant_invite": "Slack lets the bot not invite this person: invite them by hand.",
    "user_not_found": "That person is not in this workspace.",
    "name_taken": "All names that were tried are taken, also by archived channels: change LANTERN_CHANNEL_NAME.",
    "msg_too_long": "The text is too long for one Slack message: send it as a file.",
    "storage_limit_reached": "The workspace's file storage is full.",
    "file_uploads_disabled": "File uploads are switched off in this workspace: ask a workspace admin.",
}


def remedy(error: str) -> str:
    """What to do about Slack's `error`; "" when nobody but Slack can say."""
    return _REMEDIES.get(error, "")
