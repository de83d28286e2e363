"""The Web API's front: reads a call, meets faults and limits, asks for token and scope, runs the method."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from bot.standin.api.method import Arguments, CallContext, Method
from bot.standin.faults import Call, Fault, Faults
from bot.standin.installed import InstalledApp
from bot.standin.limits import Limits
from bot.standin.model import Json
from bot.standin.refused import Refused
from bot.standin.views import Views
from bot.standin.workspace import Workspace


class WebApi:
    """One endpoint for every method.  `cut` drops the caller's connection without a word."""

    def __init__(
        self,
        ws: Workspace,
        views: Views,
        methods: dict[str, Method],
        faults: Faults,
        limits: Limits,
        *,
        latency: float,
        cut: Callable[[Request], None],
        new_socket_url: Callable[[InstalledApp], str],
    ) -> None:
        self._ws = ws
        self._views = views
        self._methods = methods
        self._faults = faults
        self._limits = limits
        self._cut = cut
        self._new_socket_url = new_socket_url
        #: seconds added to every call
        self.latency = latency

    async def endpoint(self, request: Request) -> Response:
        name = request.path_params["method"]
        try:
            token, args = await read_call(request)
        except ClientDisconnect:
            # Half a call is none.
            return Response(status_code=400)
        call = self._faults.record(Call(name, time.time(), _short(args)))
        started = time.perf_counter()
        try:
            return await self._answered(request, call, token, args)
        finally:
            call.ms = (time.perf_counter() - started) * 1000

    async def _answered(self, request: Request, call: Call, token: str, args: Json) -> Response:
        fault = self._faults.take(call.method, args)
        if self.latency:
            await asyncio.sleep(self.latency)
        if fault is not None:
            call.fault = fault.kind
            if fault.kind != "drop_after" and fault.seconds:
                await asyncio.sleep(fault.seconds)
            if fault.is_done:
                with suppress(Refused):
                    self._run(call, token, args)
            early = await self._instead(request, call, fault)
            if early is not None:
                return early
        try:
            body = self._run(call, token, args)
        except Refused as refused:
            body = refused.answer()
        call.answer_ok, call.error = bool(body["ok"]), body.get("error")
        if fault is not None and fault.kind == "drop_after":
            await asyncio.sleep(fault.seconds)
            self._cut(request)
            return Response()
        if body.get("error") == "ratelimited":
            return _slow_down(int(body.pop("retry_after")))
        return JSONResponse(body, headers=self._scopes(token))

    def _scopes(self, token: str) -> dict[str, str]:
        """Slack tells a bot token's scopes with every answer."""
        for app in self._ws.apps.values():
            if token == app.bot_token:
                return {"x-oauth-scopes": ",".join(app.scopes)}
        return {}

    async def _instead(self, request: Request, call: Call, fault: Fault) -> Response | None:
        """The trouble that stands in for the call; None when the call goes on."""
        if fault.kind in ("latency", "drop_after"):
            return None
        call.answer_ok, call.error = False, fault.kind
        if fault.kind == "ratelimited":
            call.error = "ratelimited"
            return _slow_down(fault.retry_after)
        if fault.kind == "http":
            return Response("upstream trouble", status_code=fault.status, media_type="text/plain")
        if fault.kind == "error":
            call.error = fault.error
            said = {"response_metadata": {"messages": list(fault.messages)}} if fault.messages else {}
            return JSONResponse({"ok": False, "error": fault.error} | said)
        if fault.kind == "raw":
            return Response(fault.body, status_code=fault.status, headers=fault.headers)
        if fault.kind == "halfway":
            return self._half(request, fault)
        if fault.kind == "hang":
            while (await request.receive())["type"] != "http.disconnect":
                pass
        self._cut(request)
        return Response()

    def _half(self, request: Request, fault: Fault) -> Response:
        whole = fault.body.encode()

        async def half() -> AsyncIterator[bytes]:
            yield whole[: len(whole) // 2]
            self._cut(request)
            # The server would complain of the missing half; the caller is gone before it can.
            while (await request.receive())["type"] != "http.disconnect":
                pass

        headers = {"content-type": "application/json", "content-length": str(len(whole))}
        return StreamingResponse(half(), headers=headers)

    def _run(self, call: Call, token: str, args: Json) -> Json:
        with self._ws.lock:
            method = self._methods.get(call.method)
            if method is None:
                raise Refused("unknown_method", req_method=call.method)
            app, has_app_token = self._caller(token, method, args)
            call.app_id = app.app_id
            context = CallContext(
                self._ws,
                self._views,
                app,
                Arguments(args),
                has_app_token,
                new_socket_url=self._new_socket_url,
            )
            if method.scopes:
                context.require(*method.scopes)
            channel = str(args.get("channel") or "")
            wait = self._limits.wait_for(app.app_id, call.method, method.tier, channel)
            if wait:
                raise Refused("ratelimited", retry_after=wait)
            missing = [name for name in method.needs if args.get(name) in (None, "")]
            if missing:
                raise Refused(
                    "invalid_arguments", *(f"[ERROR] missing required field: {name}" for name in missing)
                )
            return {"ok": True} | method.run(context)

    def _caller(self, token: str, method: Method, args: Json) -> tuple[InstalledApp, bool]:
        apps = list(self._ws.apps.values())
        wants_app_token = method.name == "apps.connections.open"
        if method.name == "openid.connect.token":
            # Its client id and secret say who asks; a token is not looked at.
            return self._ws.app_of_client(
                str(args.get("client_id") or ""), str(args.get("client_secret") or "")
            ), False
        if not token:
            if method.name == "api.test" and apps:
                return apps[0], False
            raise Refused("not_authed")
        for app in apps:
            if token == (app.app_token if wants_app_token else app.bot_token):
                return app, wants_app_token
            if token in (app.app_token, app.bot_token):
                raise Refused("not_allowed_token_type")
        raise Refused("invalid_auth")


def _slow_down(seconds: int) -> Response:
    return JSONResponse(
        {"ok": False, "error": "ratelimited"}, status_code=429, headers={"Retry-After": str(seconds)}
    )


def _short(args: Json) -> Json:
    return {k: v for k, v in args.items() if k != "token"}


async def read_call(request: Request) -> tuple[str, Json]:
    """The token and the arguments of a call, from the query, a form, a multipart form or JSON."""
    args: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind == "multipart/form-data":
        form = await request.form()
        args |= {k: v for k, v in form.items() if not isinstance(v, UploadFile)}
    else:
        body = (await request.body()).decode("utf-8", "replace")
        if kind == "application/json":
            try:
                sent = json.loads(body or "{}")
            except ValueError:
                sent = {}
            args |= sent if isinstance(sent, dict) else {}
        else:
            args |= dict(parse_qsl(body, keep_blank_values=True))
    header = request.headers.get("authorization", "")
    token = header[7:].strip() if header.lower().startswith("bearer ") else str(args.get("token") or "")
    args.pop("token", None)
    return token, args
