"""Guard between strangers and gradio: an ASGI layer that lets through what the page needs, and answers the rest.

Only `ALLOWED_ROUTES` are open. Bodies, rates and open streams are bounded, calls are checked against the endpoint
that they are for, and whatever fails, here or in gradio, is answered with a sentence and noted in one line of the log.
"""

import errno
import logging
import re
import secrets
import traceback
from collections.abc import Callable, MutableMapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from page.guard.answers import Answer
from page.guard.body import Body, too_large
from page.guard.calls import check_call, check_message
from page.guard.files import Files, owner
from page.guard.queue_limits import QueueLimits
from page.guard.refusal import Open, Rate, RefusalError, client_of
from page.language.i18n import prefers_korean, to_korean
from page.options import LOOPBACK, Options, is_address

log = logging.getLogger("page")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]

API = "/gradio_api/"
UPLOAD = f"{API}upload"
ALLOWED_ROUTES = {  # what the page and gradio's client need: methods, by path
    re.compile(
        r"/|/(assets|static|svelte)/.+|/(config|theme\.css|robots\.txt|favicon\.ico|manifest\.json)"
    ): "GET HEAD",
    re.compile(r"/pwa_icon(/\d+)?|/gradio_api/(info|openapi\.json|theme\.css|startup-events|app_id)"): "GET HEAD",
    re.compile(r"/gradio_api/file=.+"): "GET HEAD",
    re.compile(r"/gradio_api/(queue/data|queue/status|upload_progress|heartbeat/[^/]+|call/(v2/)?[^/]+/[^/]+)"): "GET",
    re.compile(r"/gradio_api/(upload|queue/join|call/(v2/)?[^/]+|run/predict|cancel|reset)"): "POST",
}
MCP = re.compile(r"/gradio_api/mcp(/.*)?")
JSON_BYTES = 1_000_000
UPLOAD_BYTES = 220_000_000  # several files in one form
STREAMS = (30, "You have {} connections open that wait for results: close some.")  # at once for one client
POSTS = (10, "You have {} uploads or calls open at the same time: wait for one of them to be done.")
_RELAYED = b"x-relayed-for"  # with a secret: whom gradio's MCP server calls this page for, from inside this process
CALLS = (4.0, 80.0)  # uploads and calls of one client: per second, at once
REQUESTS = (60.0, 1000.0)  # of any kind


class Guard:
    """The layer, around gradio's ASGI application.

    Args:
        app: gradio's.
        demo: The page, for its endpoints.
        options: How it is served.
        queue_limits: Who waits in the queue.
        files: What lies on the disk.
    """

    def __init__(
        self, app: Callable[..., Any], demo: gr.Blocks, options: Options, queue_limits: QueueLimits, files: Files
    ) -> None:
        self.app, self.demo, self.options, self.files = app, demo, options, files
        self.queue_limits = queue_limits
        self._calls, self._requests = Rate(*CALLS), Rate(*REQUESTS)
        self._streams, self._posts = Open(*STREAMS), Open(*POSTS)
        self._secret = secrets.token_hex().encode()

    async def __call__(self, scope: Scope, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        """Serve one connection."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # gradio uses no WebSocket
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        client, path = self._client(scope), _path(scope)
        scope = {**scope, "client": (client, 0)}
        body = Body(dict(scope["headers"]), receive, _limit(path))
        answer = Answer(body, send, _translation(scope), self._on_answer(scope["method"], path, client))
        try:
            if path == "/healthz":
                await answer.send(503 if self.queue_limits.closing else 200, self.queue_limits.health())
                return
            self._admit(scope, path, client)
            await self._forward(scope, path, client, body, answer)
            if answer.refusal:
                _note(scope, path, client, answer.refusal)
        except RefusalError as refusal:
            await _refuse(scope, path, client, answer, refusal)
        except Exception as error:  # gradio raises anything at all for what it did not expect
            await _refuse(scope, path, client, answer, _explained(error, path), error)

    def _admit(self, scope: Scope, path: str, client: str) -> None:
        """Refuse what has no business here, before a byte of its body is read."""
        headers = dict(scope["headers"])
        self._check_host(headers, client)
        self._requests.take(client)
        if re.match(rf"{API}file=(data|[a-z+]+:/)", path, re.IGNORECASE):
            raise RefusalError(403, "Addresses are not fetched: only files that were uploaded or made here are served.")
        methods = " ".join(methods for pattern, methods in ALLOWED_ROUTES.items() if pattern.fullmatch(path))
        if self.demo.mcp_server and MCP.fullmatch(path):
            methods = "GET POST DELETE"
        if not methods:
            raise RefusalError(404, f"There is no {path[:100]} here; /gradio_api/info describes the endpoints.")
        if scope["method"] not in methods.split():
            expected = methods.replace(" ", " or ")
            raise RefusalError(405, f"{scope['method'][:20]} is not for {path[:100]}, expected {expected}.")
        if scope["method"] == "POST":
            self._calls.take(client)
            if self.queue_limits.closing:
                raise RefusalError(503, "The page is being restarted: try again in a minute.", 60)
            length, limit = headers.get(b"content-length", b""), _limit(path)
            if length.isdigit() and int(length) > limit:
                raise too_large(limit)

    def _client(self, scope: Scope) -> str:
        """Whom a request is counted for, also when gradio's MCP server makes it for somebody."""
        secret, _, relayed = dict(scope["headers"]).get(_RELAYED, b"").partition(b" ")
        if secrets.compare_digest(secret, self._secret):
            return relayed.decode()
        return client_of(scope, self.options.space)

    def _check_host(self, headers: dict[bytes, bytes], client: str) -> None:
        """Refuse names that are not this page's: its links would point there."""
        hosts = self.options.hosts
        if hosts is None:
            return
        by_number = not hosts & LOOPBACK  # as a health check may come, from outside
        for name in _names(headers):
            own = name in hosts or (name in LOOPBACK and client in LOOPBACK) or (by_number and is_address(name))
            if not own:
                raise RefusalError(
                    400, f"This page is not {name[:100]!r}. If it is, start it with --trusted-host NAME."
                )

    async def _forward(self, scope: Scope, path: str, client: str, body: Body, answer: Answer) -> None:
        """Hand a request to gradio, less what it should not see."""
        headers = [pair for pair in scope["headers"] if _harmless(*pair)]
        scope = {**scope, "headers": headers}
        if path == "/":
            scope["query_string"] = b""  # no links into the states of others
        query = parse_qs(scope["query_string"].decode("latin-1"))
        with ExitStack() as open_:
            if scope["method"] == "POST":
                open_.enter_context(self._posts.one(client))
                await self._check_body(scope, path, client, body)
            name = self._listened_to(path, query) if scope["method"] == "GET" else None
            if name or path.startswith((f"{API}heartbeat/", f"{API}upload_progress", f"{API}mcp")):
                open_.enter_context(self._streams.one(client))
            open_.enter_context(self.queue_limits.listening(name))
            await self.app(scope, body.receive, answer)

    async def _check_body(self, scope: Scope, path: str, client: str, body: Body) -> None:
        """Refuse a body that gradio should not see."""
        names = {*_names(dict(scope["headers"])), *(self.options.hosts or ())}
        if MCP.fullmatch(path):
            body.replace(check_message(await body.whole(), names))
            scope["headers"].append((_RELAYED, self._secret + b" " + client.encode()))
        elif path != UPLOAD:
            call = check_call(self.demo, path, await body.whole(), names)
            self.files.claim(call, owner(call.get("session_hash"), client))
            body.replace(call)

    def _listened_to(self, path: str, query: dict[str, list[str]]) -> str | None:
        """The session or event whose messages a request asks for; raises `RefusalError` if there is none."""
        match = re.fullmatch(rf"{API}call/(?:v2/)?[^/]+/([^/]+)", path)
        if not match and path != f"{API}queue/data":
            return None
        name = match[1] if match else (query.get("session_hash") or [""])[0]
        if not self.queue_limits.queue.knows(name):
            raise RefusalError(404, "There is nothing under way of that name: it is done, or was never asked for.")
        return name

    def _on_answer(self, method: str, path: str, client: str) -> Callable[[Any], Any] | None:
        """What is to be done with the answer to a request before it goes out."""
        if method == "POST" and path == UPLOAD:
            return lambda paths: self.files.claim(paths, client)
        if method == "POST" and path.startswith((f"{API}queue/join", f"{API}call/")):
            return lambda joined: joined | {"ahead": self.queue_limits.queue.ahead(joined["event_id"])}
        return None


def _path(scope: Scope) -> str:
    """The path below the page's root, without a slash at its end."""
    root = scope.get("root_path", "")
    path: str = scope["path"].removeprefix(root) if root.startswith("/") else scope["path"]
    return path if f"{API}file=" in path else path.rstrip("/") or "/"


def _harmless(name: bytes, value: bytes) -> bool:
    """Whether gradio may see a header: it takes its own address from one, and fails on odd ranges."""
    if name == b"range":
        return bool(re.fullmatch(rb"bytes=\d{1,12}-\d{0,12}", value))
    return name not in (b"x-gradio-server", b"content-length", _RELAYED)


def _names(headers: dict[bytes, bytes]) -> list[str]:
    """The host names that a request is addressed to, in lower case: its own, and a proxy's if there is one."""
    names = []
    for header in (b"host", b"x-forwarded-host"):
        value = headers.get(header, b"").decode("latin-1").split(",")[0].strip().lower()
        if value or header == b"host":
            names.append(re.sub(r":\d*$", "", value).strip("[]"))
    return names


def _translation(scope: Scope) -> Callable[[str], str]:
    """What puts a sentence into a client's language."""
    languages = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
    return to_korean if prefers_korean(languages) else str


def _limit(path: str) -> int:
    return UPLOAD_BYTES if path == UPLOAD else JSON_BYTES


def _explained(error: Exception, path: str) -> RefusalError:
    """What to tell a client about an exception."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RefusalError(507, "The server's disk is full: try again later.")
    if path == UPLOAD and not isinstance(error, OSError):
        return RefusalError(400, "The upload is not a well-formed form: send each file as a form field `files`.")
    if path.startswith(f"{API}call/") and isinstance(error, TypeError | ValueError):
        return RefusalError(422, "The inputs are not what this endpoint expects; /gradio_api/info describes them.")
    return RefusalError(500, "The server failed to answer this: try again.")


async def _refuse(
    scope: Scope, path: str, client: str, answer: Answer, refusal: RefusalError, error: Exception | None = None
) -> None:
    _note(scope, path, client, refusal, error)
    if not answer.started:
        await answer.refuse(refusal)


def _note(scope: Scope, path: str, client: str, refusal: RefusalError, error: Exception | None = None) -> None:
    """One line in the log."""
    cause = ""
    if error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        cause = f" ({type(error).__name__}: {str(error)[:200]!r}, {where.name}, line {where.lineno})"
    level = logging.WARNING if refusal.status >= 500 and error else logging.INFO
    log.log(level, "%d %s %.100r from %s: %s%s", refusal.status, scope["method"], path, client, refusal, cause)
