"""The stand-in's Web API through Slack's own client: answers, refusals, limits and troubles made on purpose."""

from __future__ import annotations

import http.client
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.standin.person import Denied, Person
from bot.standin.server import Standin

ANA, BEN, GENERAL = "U0ANA00000", "U0BEN00000", "C0GENERAL0"
SCOPES = [
    "chat:write", "chat:write.public", "channels:manage", "channels:read", "channels:history", "channels:join",
    "users:read", "users:read.email", "pins:read", "pins:write", "bookmarks:read", "bookmarks:write", "groups:write",
    "groups:read", "groups:history", "im:write", "reactions:read", "reactions:write", "files:write", "files:read",
    "usergroups:read", "team:read",
]  # fmt: skip


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin() as running:
        yield running


@pytest.fixture
def client(standin: Standin) -> WebClient:
    return client_with(standin, SCOPES)


def client_with(standin: Standin, scopes: list[str], name: str = "Tester") -> WebClient:
    manifest = {"display_information": {"name": name}, "oauth_config": {"scopes": {"bot": scopes}}}
    app = standin.install(manifest)
    return WebClient(app.bot_token, base_url=standin.api_url, retry_handlers=[])


def refusal(call: Any, **args: Any) -> dict[str, Any]:
    """The body of the answer that refuses this call."""
    with pytest.raises(SlackApiError) as refused:
        call(**args)
    return dict(refused.value.response.data)


def error(call: Any, **args: Any) -> str:
    return str(refusal(call, **args)["error"])


def make(client: WebClient, name: str, *, is_private: bool = False) -> str:
    return str(client.conversations_create(name=name, is_private=is_private)["channel"]["id"])


def test_a_call_needs_a_token_a_scope_and_a_known_name(standin: Standin) -> None:
    poor = client_with(standin, ["users:read"], "Poor")
    assert error(WebClient(base_url=standin.api_url).auth_test) == "not_authed"
    assert error(WebClient("xoxb-wrong", base_url=standin.api_url).auth_test) == "invalid_auth"
    assert error(poor.api_call, api_method="no.such") == "unknown_method"
    answer = refusal(poor.chat_postMessage, channel=GENERAL, text="x")
    assert (answer["error"], answer["needed"], answer["provided"]) == (
        "missing_scope",
        "chat:write",
        "users:read",
    )
    assert error(poor.apps_connections_open, app_token=poor.token) == "not_allowed_token_type"
    assert "email" not in poor.users_info(user=ANA)["user"]["profile"]


def test_a_channel_name_is_taken_even_by_an_archived_channel(client: WebClient) -> None:
    place = make(client, "inc-1")
    assert error(client.conversations_create, name="inc-1") == "name_taken"
    client.conversations_archive(channel=place)
    assert error(client.conversations_create, name="inc-1") == "name_taken"
    assert error(client.conversations_create, name="Inc 2") == "invalid_name_specials"
    assert error(client.conversations_create, name="x" * 81) == "invalid_name_maxlength"


def test_archiving_puts_the_bot_out(client: WebClient) -> None:
    place = make(client, "inc-1")
    client.conversations_archive(channel=place)
    assert error(client.chat_postMessage, channel=place, text="x") == "is_archived"
    assert error(client.conversations_history, channel=place) == "not_in_channel"
    assert error(client.conversations_unarchive, channel=place) == "not_in_channel"
    assert error(client.conversations_archive, channel=place) == "already_archived"
    assert client.conversations_info(channel=place)["channel"]["is_archived"] is True


def test_invitations_name_each_user_that_cannot_come(client: WebClient, standin: Standin) -> None:
    place = make(client, "inc-1")
    client.conversations_invite(channel=place, users=[ANA])
    assert error(client.conversations_invite, channel=place, users=ANA) == "already_in_channel"
    assert error(client.conversations_invite, channel=place, users="U0NOBODY") == "user_not_found"
    answer = client.conversations_invite(channel=place, users=f"{ANA},{BEN}", force=True)
    assert [e["error"] for e in answer["errors"]] == ["already_in_channel"]
    me = client.auth_test()["user_id"]
    assert error(client.conversations_invite, channel=place, users=me) == "cant_invite_self"
    Person(standin.url, "U0DEV00000").act("set_profile", deleted=True)
    assert error(client.conversations_invite, channel=place, users="U0DEV00000") == "user_not_found"
    assert set(client.conversations_members(channel=place)["members"]) == {me, ANA, BEN}


def test_a_private_channel_does_not_exist_for_others(client: WebClient, standin: Standin) -> None:
    ana = Person(standin.url, ANA)
    hidden = ana.creates("hidden", is_private=True)
    assert error(client.conversations_info, channel=hidden) == "channel_not_found"
    assert error(client.chat_postMessage, channel=hidden, text="x") == "channel_not_found"
    ana.invites(hidden, str(client.auth_test()["user_id"]))
    assert client.conversations_info(channel=hidden)["channel"]["is_private"] is True


def test_reading_a_public_channel_needs_membership(client: WebClient) -> None:
    client.chat_postMessage(channel="#general", text="from outside")
    assert error(client.conversations_history, channel=GENERAL) == "not_in_channel"
    client.conversations_join(channel=GENERAL)
    texts = [m["text"] for m in client.conversations_history(channel=GENERAL)["messages"]]
    assert texts[-1] == "from outside"


def test_topic_and_pins_write_their_own_lines(client: WebClient) -> None:
    place = make(client, "inc-1")
    ts = client.chat_postMessage(channel=place, text="card")["ts"]
    client.conversations_setTopic(channel=place, topic="SEV1")
    client.pins_add(channel=place, timestamp=ts)
    assert error(client.pins_add, channel=place, timestamp=ts) == "already_pinned"
    assert error(client.pins_add, channel=place, timestamp="1.2") == "message_not_found"
    assert error(client.conversations_setTopic, channel=place, topic="x" * 251) == "too_long"
    kinds = [m.get("subtype") for m in client.conversations_history(channel=place)["messages"]]
    assert kinds == ["pinned_item", "channel_topic", None]
    assert client.pins_list(channel=place)["items"][0]["message"]["text"] == "card"
    client.pins_remove(channel=place, timestamp=ts)
    assert error(client.pins_remove, channel=place, timestamp=ts) == "no_pin"


def test_metadata_is_whole_only_when_asked_for(client: WebClient) -> None:
    place = make(client, "inc-1")
    sent = {"event_type": "work", "event_payload": {"id": "7"}}
    client.chat_postMessage(channel=place, text="card", metadata=sent)
    short = client.conversations_history(channel=place)["messages"][0]["metadata"]
    whole = client.conversations_history(channel=place, include_all_metadata=True)["messages"][0]["metadata"]
    assert (short, whole) == ({"event_type": "work"}, sent)
    wrong = {"event_type": "work"}
    assert (
        error(client.chat_postMessage, channel=place, text="x", metadata=wrong) == "invalid_metadata_schema"
    )


def test_long_texts_are_split_on_posting_and_refused_on_updating(client: WebClient) -> None:
    place = make(client, "inc-1")
    ts = client.chat_postMessage(channel=place, text="x" * 4040)["ts"]
    assert len(client.conversations_history(channel=place)["messages"]) == 1
    assert error(client.chat_update, channel=place, ts=ts, text="x" * 4001) == "msg_too_long"
    client.chat_postMessage(channel=place, text="y" * 4041)
    lengths = [len(m["text"]) for m in client.conversations_history(channel=place)["messages"]]
    assert lengths == [41, 4000, 4040]
    blank = {"channel": place, "text": " "}
    assert error(client.api_call, api_method="chat.postMessage", params=blank) == "no_text"


def test_only_the_author_changes_a_message(client: WebClient, standin: Standin) -> None:
    ana = Person(standin.url, ANA)
    client.conversations_join(channel=GENERAL)
    ts = ana.says("general", "mine")
    assert error(client.chat_update, channel=GENERAL, ts=ts, text="x") == "cant_update_message"
    own = client.chat_postMessage(channel=GENERAL, text="a", blocks=[{"type": "divider"}])["ts"]
    client.chat_update(channel=GENERAL, ts=own, text="b")
    shown = ana.waits_for_message("general", "b")
    assert shown["blocks"] == [] and shown["edited"] is True
    with pytest.raises(Denied, match="Only the author"):
        ana.edits(own, "c", "general")


def test_threads_keep_their_replies_out_of_the_channel(client: WebClient, standin: Standin) -> None:
    place = make(client, "inc-1")
    top = client.chat_postMessage(channel=place, text="top")["ts"]
    client.chat_postMessage(channel=place, text="one", thread_ts=top)
    client.chat_postMessage(channel=place, text="two", thread_ts=top, reply_broadcast=True)
    assert error(client.chat_postMessage, channel=place, text="x", thread_ts="1.1") == "thread_not_found"
    history = [m["text"] for m in client.conversations_history(channel=place)["messages"]]
    replies = client.conversations_replies(channel=place, ts=top)["messages"]
    assert history == ["two", "top"] and [m["text"] for m in replies] == ["top", "one", "two"]
    assert replies[0]["reply_count"] == 2


def test_history_comes_in_pages(client: WebClient) -> None:
    place = make(client, "inc-1")
    stamps = [client.chat_postMessage(channel=place, text=str(n))["ts"] for n in range(5)]
    assert stamps == sorted(stamps) and len(set(stamps)) == 5
    pages = [
        [m["text"] for m in page["messages"]] for page in client.conversations_history(channel=place, limit=2)
    ]
    assert pages == [["4", "3"], ["2", "1"], ["0"]]
    later = client.conversations_history(channel=place, oldest=stamps[2])["messages"]
    assert [m["text"] for m in later] == ["4", "3"]


def test_bookmarks_and_reactions(client: WebClient) -> None:
    place = make(client, "inc-1")
    mark = client.bookmarks_add(channel_id=place, title="Doc", type="link", link="https://a.example")[
        "bookmark"
    ]
    client.bookmarks_add(channel_id=place, title="Doc", type="link", link="https://a.example")
    client.bookmarks_edit(channel_id=place, bookmark_id=mark["id"], title="Draft")
    assert [b["title"] for b in client.bookmarks_list(channel_id=place)["bookmarks"]] == ["Draft", "Doc"]
    assert error(client.bookmarks_add, channel_id=place, title="x", type="link", link="a b") == "invalid_link"
    ts = client.chat_postMessage(channel=place, text="x")["ts"]
    client.reactions_add(channel=place, timestamp=ts, name="eyes")
    assert error(client.reactions_add, channel=place, timestamp=ts, name="eyes") == "already_reacted"
    assert client.reactions_get(channel=place, timestamp=ts)["message"]["reactions"][0]["count"] == 1


def test_an_uploaded_file_is_read_by_the_people_of_the_channel(client: WebClient, standin: Standin) -> None:
    place = make(client, "inc-1")
    client.conversations_invite(channel=place, users=ANA)
    client.files_upload_v2(channel=place, filename="draft.md", content="# Draft", initial_comment="Here")
    shown = Person(standin.url, ANA).waits_for_message(place, "Here")
    with urllib.request.urlopen(standin.url + shown["files"][0]["url"]) as answer:
        assert answer.read() == b"# Draft"


def test_a_person_is_reached_directly(client: WebClient, standin: Standin) -> None:
    place = client.conversations_open(users=BEN)["channel"]["id"]
    assert client.chat_postMessage(channel=BEN, text="psst")["channel"] == place
    assert Person(standin.url, BEN).messages(place)[-1]["text"] == "psst"
    with pytest.raises(urllib.error.HTTPError):
        Person(standin.url, ANA).messages(place)
    assert client.users_lookupByEmail(email="ben@stand-in.example.com")["user"]["tz"] == "Europe/Berlin"


def test_user_groups_are_expanded_by_the_app(client: WebClient, standin: Standin) -> None:
    group = standin.workspace.add_group("oncall", "On call", [ANA, BEN])
    assert client.usergroups_list()["usergroups"][0]["handle"] == "oncall"
    assert client.usergroups_users_list(usergroup=group)["users"] == [ANA, BEN]
    assert error(client.usergroups_users_list, usergroup="S0") == "no_such_subteam"


def test_a_tier_is_enforced_with_the_time_to_wait(client: WebClient, standin: Standin) -> None:
    for n in range(20):
        make(client, f"inc-{n}")
    with pytest.raises(SlackApiError) as refused:
        make(client, "inc-20")
    assert refused.value.response.status_code == 429
    assert refused.value.response["error"] == "ratelimited"
    assert 1 <= int(refused.value.response.headers["Retry-After"]) <= 60


def test_posts_to_one_channel_have_a_burst_and_then_wait(client: WebClient) -> None:
    for n in range(10):
        client.chat_postMessage(channel=GENERAL, text=str(n))
    assert error(client.chat_postMessage, channel=GENERAL, text="more") == "ratelimited"
    client.chat_postMessage(channel="C0RANDOM00", text="elsewhere")


def test_troubles_are_made_on_purpose(client: WebClient, standin: Standin) -> None:
    standin.fault("chat.postMessage", "ratelimited", retry_after=7)
    standin.fault("chat.postMessage", "http", status=503)
    standin.fault("chat.postMessage", "error", error="fatal_error")
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=GENERAL, text="x")
    assert refused.value.response.headers["Retry-After"] == "7"
    with pytest.raises(SlackApiError) as refused:
        client.chat_postMessage(channel=GENERAL, text="x")
    assert refused.value.response.status_code == 503
    assert error(client.chat_postMessage, channel=GENERAL, text="x") == "fatal_error"
    client.chat_postMessage(channel=GENERAL, text="fine")
    assert [c.error for c in standin.calls("chat.postMessage")] == [
        "ratelimited",
        "http",
        "fatal_error",
        None,
    ]


@pytest.mark.parametrize(("kind", "is_done"), [("drop_before", False), ("drop_after", True)])
def test_a_lost_answer_leaves_the_effect_or_none(
    client: WebClient, standin: Standin, kind: Any, is_done: bool
) -> None:
    standin.fault("conversations.create", kind)
    with pytest.raises((http.client.HTTPException, OSError)):
        make(client, "inc-1")
    names = [c["name"] for c in client.conversations_list()["channels"]]
    assert ("inc-1" in names) is is_done


def test_a_hanging_call_does_nothing(standin: Standin, client: WebClient) -> None:
    hasty = WebClient(client.token, base_url=standin.api_url, timeout=1, retry_handlers=[])
    standin.fault("conversations.create", "hang")
    with pytest.raises(TimeoutError):
        make(hasty, "inc-1")
    assert "inc-1" not in [c["name"] for c in client.conversations_list()["channels"]]


def test_latency_slows_every_call() -> None:
    with Standin(latency=0.1) as standin:
        client = client_with(standin, SCOPES)
        started = time.monotonic()
        client.auth_test()
        assert time.monotonic() - started >= 0.1
        assert standin.calls("auth.test")[0].ms >= 100


def test_the_clock_moves_message_times_only_forward_in_a_channel(client: WebClient, standin: Standin) -> None:
    standin.set_clock(1_717_408_800.0)
    other = make(client, "inc-1")
    first = client.chat_postMessage(channel=other, text="then")["ts"]
    assert first.startswith("17174088")
    standin.set_clock(1_717_400_000.0)
    assert client.chat_postMessage(channel=other, text="earlier")["ts"] > first
    standin.set_clock(None)
    assert float(client.chat_postMessage(channel=other, text="now")["ts"]) > time.time() - 60


def test_a_persons_words_are_escaped_as_slack_does(standin: Standin) -> None:
    ana = Person(standin.url, ANA)
    ana.says("general", "a < b & c, see https://x.example/?a=1&b=2. @ben @here #random <@U0EVE00000>")
    assert ana.messages("general")[-1]["text"] == (
        "a &lt; b &amp; c, see <https://x.example/?a=1&amp;b=2>. <@U0BEN00000> <!here> "
        "<#C0RANDOM00|random> <@U0EVE00000>"
    )
