"""Stand-ins of GitHub, GitLab and Jira over real HTTP: they keep issues, page, limit, refuse, hang up and lag.

Shapes and status codes are those of the vendors' documentation, as far as Lantern asks for them.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "t0ken-that-must-not-show"
USER = "lantern@example.com"


@dataclass
class Trouble:
    """What happens to the next call of a method instead of an answer."""

    #: POST, GET.
    method: str
    #: "before": hung up before it has an effect; "after": after that; "hang": no answer; "trickle": one byte at
    #: a time; else the status.
    what: str | int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    times: int = 1


@dataclass
class Kept:
    """An issue."""

    number: int
    title: str
    body: Any
    state: str = "open"
    #: state_reason, resolution: why it is closed.
    reason: str | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: Mapping[str, str]


Reply = tuple[int, Any]


class Stand:
    """`with GitHub() as stand: stand.url`. What is common to the three."""

    kind = ""

    def __init__(self) -> None:
        self.issues: list[Kept] = []
        self.asked: list[Asked] = []
        self.troubles: list[Trouble] = []
        #: Called when a POST has had its effect, before its answer: a crash goes here.
        self.on_effect: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._letting_go = threading.Event()
        stand = self

        class Talk(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stand._serve(self, b"")

            def do_POST(self) -> None:
                stand._serve(self, self.rfile.read(int(self.headers.get("Content-Length") or 0)))

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Talk)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._letting_go.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def settings(self) -> dict[str, Any]:
        """What Lantern is told."""
        return {"tracker": self.place, "tracker_url": self.url, "tracker_token": TOKEN}

    place = ""

    def trouble(self, method: str, what: str | int, times: int = 1, body: Any = None, **headers: str) -> None:
        """The next calls of a method end so."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.troubles.append(Trouble(method, what, sent, body, times))

    def posts(self) -> list[Asked]:
        with self._lock:
            return [one for one in self.asked if one.method == "POST"]

    def put(self, title: str, body: Any = "", ago: timedelta = timedelta(0)) -> Kept:
        """An issue that somebody else made."""
        kept = Kept(len(self.issues) + 1, title, body, created_at=datetime.now(UTC) - ago)
        self.issues.append(kept)
        return kept

    # What each tracker is

    def authorized(self, headers: Mapping[str, str]) -> bool:
        raise NotImplementedError

    def answer(self, asked: Asked) -> Reply:
        raise NotImplementedError

    def _serve(self, talk: BaseHTTPRequestHandler, content: bytes) -> None:
        parts = urlsplit(talk.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in talk.headers.items()}
        asked = Asked(talk.command, parts.path, query, json.loads(content) if content else None, headers)
        with self._lock:
            self.asked.append(asked)
            trouble = self._trouble(asked.method)
        what = trouble.what if trouble is not None else ""
        if trouble is not None and isinstance(what, int):
            self._send(
                talk, what, trouble.body if trouble.body is not None else {"message": "no"}, trouble.headers
            )
            return
        if what == "hang":
            self._letting_go.wait(20)
        if what == "trickle":
            self._trickle(talk)
            return
        if what in {"before", "hang"}:
            self._hang_up(talk)
            return
        if not self.authorized(headers):
            self._send(talk, 401, {"message": f"Bad credentials: {headers.get('authorization', '')}"}, {})
            return
        with self._lock:
            status, reply = self.answer(asked)
        if asked.method == "POST" and status == 201:
            self.on_effect()
        if what == "after":
            self._hang_up(talk)
            return
        self._send(talk, status, reply, {})

    def _trickle(self, talk: BaseHTTPRequestHandler) -> None:
        talk.send_response(201)
        talk.send_header("Content-Length", "500")
        talk.end_headers()
        with suppress(OSError):
            while not self._letting_go.wait(0.02):
                talk.wfile.write(b" ")

    def _trouble(self, method: str) -> Trouble | None:
        found = next((one for one in self.troubles if one.method == method), None)
        if found is not None:
            found.times -= 1
            if found.times == 0:
                self.troubles.remove(found)
        return found

    @staticmethod
    def _hang_up(talk: BaseHTTPRequestHandler) -> None:
        talk.close_connection = True
        with suppress(OSError):
            talk.connection.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _send(talk: BaseHTTPRequestHandler, status: int, reply: Any, headers: Mapping[str, str]) -> None:
        content = reply.encode() if isinstance(reply, str) else json.dumps(reply).encode()
        with suppress(OSError):
            talk.send_response(status)
            kind = "text/html" if isinstance(reply, str) else "application/json; charset=utf-8"
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
                talk.send_header(name, value)
            talk.end_headers()
            talk.wfile.write(content)

    def _numbered(self, text: str) -> Kept | None:
        return next((one for one in self.issues if str(one.number) == text), None)

    def _page(self, asked: Asked, shown: list[Any]) -> list[Any]:
        size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
        return shown[(page - 1) * size : page * size]


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class GitHub(Stand):
    kind, place = "github", "github:acme/web"
    has_issues = True

    def authorized(self, headers: Mapping[str, str]) -> bool:
        return headers.get("authorization") == f"Bearer {TOKEN}"

    def answer(self, asked: Asked) -> Reply:
        found = re.fullmatch(r"/api/v3/repos/acme/web(/issues(?:/(\d+))?)?", asked.path)
        if found is None:
            return 404, {"message": "Not Found", "documentation_url": "https://docs.github.com/rest"}
        if found[1] is None:
            return 200, {"full_name": "acme/web", "has_issues": self.has_issues, "archived": False}
        if not self.has_issues:
            return 410, {"message": "Issues has been disabled in this repository."}
        if asked.method == "POST":
            if not asked.body.get("title"):
                errors = [{"resource": "Issue", "field": "title", "code": "missing_field"}]
                return 422, {"message": "Validation Failed", "errors": errors}
            return 201, self._shown(self.put(asked.body["title"], asked.body.get("body")))
        if found[2]:
            one = self._numbered(found[2])
            return (200, self._shown(one)) if one else (404, {"message": "Not Found"})
        since = datetime.fromisoformat(asked.query.get("since", "2000-01-01T00:00:00Z"))
        newest = [one for one in reversed(self.issues) if one.created_at >= since - timedelta(seconds=1)]
        return 200, self._page(asked, [self._shown(one) for one in newest])

    def _shown(self, one: Kept) -> dict[str, Any]:
        return {
            "id": 9000 + one.number,
            "number": one.number,
            "html_url": f"https://github.example.com/acme/web/issues/{one.number}",
            "title": one.title,
            "body": one.body,
            "state": one.state,
            "state_reason": one.reason,
            "created_at": _stamp(one.created_at),
            "user": {"login": "lantern-bot"},
        }

    def close(self, number: int, *, is_dropped: bool = False) -> None:
        self.issues[number - 1].state = "closed"
        self.issues[number - 1].reason = "not_planned" if is_dropped else "completed"

    def reopen(self, number: int) -> None:
        self.issues[number - 1].state, self.issues[number - 1].reason = "open", "reopened"


class GitLab(Stand):
    kind, place = "gitlab", "gitlab:acme/group/web"
    scopes = ("api",)
    #: Numbers of issues that were moved to another project.
    moved: frozenset[int] = frozenset()

    def authorized(self, headers: Mapping[str, str]) -> bool:
        return headers.get("private-token") == TOKEN

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/api/v4/personal_access_tokens/self":
            return 200, {"id": 1, "name": "lantern", "scopes": list(self.scopes), "active": True}
        found = re.fullmatch(r"/api/v4/projects/([^/]+)(/issues(?:/(\d+))?)?", asked.path)
        if found is None or unquote(found[1]) != "acme/group/web":
            return 404, {"message": "404 Project Not Found"}
        if found[2] is None:
            return 200, {"id": 3, "path_with_namespace": "acme/group/web", "issues_access_level": "enabled"}
        if asked.method == "POST":
            if not asked.body.get("title"):
                return 400, {"message": {"title": ["can't be blank"]}}
            return 201, self._shown(self.put(asked.body["title"], asked.body.get("description")))
        if found[3]:
            one = self._numbered(found[3])
            return (200, self._shown(one)) if one else (404, {"message": "404 Not found"})
        after = datetime.fromisoformat(asked.query.get("created_after", "2000-01-01T00:00:00Z"))
        newest = [one for one in reversed(self.issues) if one.created_at >= after]
        return 200, self._page(asked, [self._shown(one) for one in newest])

    def _shown(self, one: Kept) -> dict[str, Any]:
        return {
            "id": 7000 + one.number,
            "iid": one.number,
            "project_id": 3,
            "title": one.title,
            "description": one.body,
            "state": "opened" if one.state == "open" else "closed",
            "created_at": one.created_at.isoformat(),
            "moved_to_id": 8001 if one.number in self.moved else None,
            "web_url": f"https://gitlab.example.com/acme/group/web/-/issues/{one.number}",
        }

    def close(self, number: int, *, is_dropped: bool = False) -> None:
        self.issues[number - 1].state = "closed"

    def reopen(self, number: int) -> None:
        self.issues[number - 1].state = "open"


class Jira(Stand):
    """Cloud; `is_cloud = False` before it is entered makes it a Data Center."""

    kind, place = "jira", "jira:OPS"

    def __init__(self, *, is_cloud: bool = True) -> None:
        super().__init__()
        self.is_cloud = is_cloud
        #: Issues beyond this number are not in the index yet.
        self.indexed: int | None = None
        self.may_create = True

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "tracker_user": USER if self.is_cloud else ""}

    def authorized(self, headers: Mapping[str, str]) -> bool:
        pair = b64encode(f"{USER}:{TOKEN}".encode()).decode()
        return headers.get("authorization") == (f"Basic {pair}" if self.is_cloud else f"Bearer {TOKEN}")

    def answer(self, asked: Asked) -> Reply:
        # Where tokens with scopes are used.
        asked = replace(asked, path=asked.path.removeprefix("/ex/jira/cloud-id"))
        api = f"/rest/api/{3 if self.is_cloud else 2}"
        if asked.path == f"{api}/serverInfo":
            return 200, {"baseUrl": "https://acme.atlassian.example", "deploymentType": "Cloud"}
        if asked.method == "POST" and asked.path == f"{api}/issue":
            return self._create(asked.body["fields"])
        if asked.path == f"{api}/project/OPS":
            return 200, {"key": "OPS", "issueTypes": [{"name": "Task"}, {"name": "Bug"}]}
        if asked.path == f"{api}/mypermissions":
            return 200, {"permissions": {"CREATE_ISSUES": {"havePermission": self.may_create}}}
        if asked.path == (f"{api}/search/jql" if self.is_cloud else f"{api}/search"):
            return self._search(asked)
        found = re.fullmatch(rf"{api}/issue/OPS-(\d+)", asked.path)
        one = self._numbered(found[1]) if found is not None else None
        if one is None:
            return 404, {
                "errorMessages": ["Issue does not exist or you do not have permission to see it."],
                "errors": {},
            }
        return 200, self._shown(one, asked)

    def _create(self, fields: dict[str, Any]) -> Reply:
        if fields["issuetype"] != {"name": "Task"} or fields["project"] != {"key": "OPS"}:
            return 400, {"errorMessages": [], "errors": {"issuetype": "Specify a valid issue type"}}
        is_right = isinstance(fields["description"], dict if self.is_cloud else str)
        if not is_right:
            return 400, {"errorMessages": [], "errors": {"description": "Operation value must be a document"}}
        made = self.put(fields["summary"], fields["description"])
        return 201, {"id": str(5000 + made.number), "key": f"OPS-{made.number}", "self": f"{self.url}/x"}

    def _search(self, asked: Asked) -> Reply:
        assert asked.query["jql"] == 'project = "OPS" ORDER BY created DESC'
        size = int(asked.query["maxResults"])
        begin = int(asked.query.get("nextPageToken" if self.is_cloud else "startAt") or 0)
        seen = [one for one in reversed(self.issues) if self.indexed is None or one.number <= self.indexed]
        reply: dict[str, Any] = {"issues": [self._shown(one, asked) for one in seen[begin : begin + size]]}
        if self.is_cloud and begin + size < len(seen):
            reply["nextPageToken"] = str(begin + size)
        return 200, reply

    def _shown(self, one: Kept, asked: Asked) -> dict[str, Any]:
        category = "done" if one.state == "closed" else "new"
        fields = {
            "created": one.created_at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "description": one.body,
            "status": {
                "name": "Closed" if one.state == "closed" else "To Do",
                "statusCategory": {"key": category},
            },
            "resolution": {"name": one.reason} if one.reason else None,
        }
        wanted = asked.query["fields"].split(",")
        return {"key": f"OPS-{one.number}", "fields": {name: fields[name] for name in wanted}}

    def close(self, number: int, *, is_dropped: bool = False) -> None:
        self.issues[number - 1].state = "closed"
        self.issues[number - 1].reason = "Won't Do" if is_dropped else "Done"

    def reopen(self, number: int) -> None:
        self.issues[number - 1].state, self.issues[number - 1].reason = "open", None


class DataCenter(Jira):
    def __init__(self) -> None:
        super().__init__(is_cloud=False)


AnyStand = GitHub | GitLab | Jira
STANDS: tuple[type[AnyStand], ...] = (GitHub, GitLab, Jira, DataCenter)
