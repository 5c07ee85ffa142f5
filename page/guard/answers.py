"""Answers on their way out: no header that the request brought, safe ones on top, and a sentence for every error."""

import json
from collections.abc import Callable
from typing import Any

from page.guard.body import Body, Message
from page.guard.refusal import RefusalError

_HELD_BYTES = 1_000_000  # of an answer that is looked at before it goes out
_KEPT = {  # gradio sends the request's own headers back with a part of a file, so these and no others
    *(b"content-length", b"content-type", b"content-disposition", b"content-range", b"accept-ranges", b"etag"),
    *(b"cache-control", b"last-modified", b"vary", b"location", b"mcp-session-id"),
}
_HUB = "https://huggingface.co https://*.huggingface.co"  # whose header gradio shows above a Space
# No frame-ancestors: other sites may embed the page, as the Hub does. There is no account that a click could harm.
_CSP = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; style-src 'self' 'unsafe-inline'; "
    f"font-src 'self' data:; img-src 'self' data: blob: {_HUB}; media-src 'self' data: blob:; "
    f"connect-src 'self' data: blob: {_HUB}; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
)
_SAFE = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"content-security-policy", _CSP.encode()),
]
_SENTENCES = {
    400: "The request is not well-formed.",
    403: "This file is not one that was uploaded or made here.",
    404: "There is nothing here.",
    413: "The upload is too large.",
    416: "The file has no such part.",
    422: "The request is not what this endpoint expects; /gradio_api/info describes it.",
}


class Answer:
    """The `send` of ASGI that gradio is given.

    Args:
        body: Of the request. Its connection is closed where it was not read to its end, or it could trickle on.
        send: The server's.
        translate: Puts a sentence into the client's language.
        on_answer: Sees the JSON of an answer that went well, and says what to send instead; None lets all pass unseen.

    Attributes:
        started: Whether the client has got the status: it is too late to refuse then.
        refusal: What gradio's error was turned into.
    """

    def __init__(
        self,
        body: Body,
        send: Callable[..., Any],
        translate: Callable[[str], str],
        on_answer: Callable[[Any], Any] | None,
    ) -> None:
        self.started = False
        self.refusal: RefusalError | None = None
        self._body, self._send, self._translate, self._on_answer = body, send, translate, on_answer
        self._start: Message | None = None
        self._held = b""

    async def __call__(self, message: Message) -> None:
        """Pass on one message of gradio's."""
        if message["type"] == "http.response.start" and (message["status"] >= 400 or self._on_answer):
            self._start = message
        elif message["type"] == "http.response.start":
            await self._begin(message["status"], message.get("headers", []))
        elif message["type"] == "http.response.body" and self._start:
            self._held += message.get("body", b"")[: _HELD_BYTES - len(self._held)]
            if not message.get("more_body"):
                await self._finish(self._start)
        else:
            await self._send(message)

    async def refuse(self, refusal: RefusalError) -> None:
        """Answer with a sentence."""
        await self._whole(refusal.status, refusal.headers(), refusal.body(self._translate))

    async def send(self, status: int, content: Any) -> None:
        """Answer with JSON."""
        await self._whole(status, [(b"content-type", b"application/json")], json.dumps(content).encode())

    async def _finish(self, start: Message) -> None:
        """What was held back is complete: it goes out, or a sentence instead of it."""
        self._start = None
        if start["status"] < 400 and self._on_answer:
            await self.send(start["status"], self._on_answer(json.loads(self._held)))
            return
        self.refusal = RefusalError(start["status"], _sentence(start["status"], self._held))
        await self.refuse(self.refusal)

    async def _whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        await self._begin(status, [*headers, (b"content-length", str(len(body)).encode())])
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        await self._body.drain()
        await self._send({"type": "http.response.body", "body": b""})

    async def _begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.started = True
        kept = [(name, value) for name, value in headers if name.lower() in _KEPT or name == b"retry-after"]
        kept += [] if self._body.complete else [(b"connection", b"close")]
        await self._send({"type": "http.response.start", "status": status, "headers": kept + _SAFE})


def _sentence(status: int, body: bytes) -> str:
    """Gradio's own words if they are some, else those for the status."""
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = None
    is_sentence = isinstance(detail, str) and detail.endswith(".") and "/" not in detail  # paths are not told
    return detail if is_sentence else _SENTENCES.get(status, "The server could not answer this: try again.")
