"""Bodies of requests: neither too much nor too slow."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from colorization.sentence import Sentence
from page.guard.refusal import RefusalError

Message = MutableMapping[str, Any]

READ_SECONDS = 30.0  # without a byte
BODY_SECONDS = 120.0  # for all of it
DRAIN_SECONDS = 30.0  # for the rest of what is refused


class Body:
    """The body of a request.

    Args:
        headers: Of the request.
        receive: The server's.
        limit: Bytes that it may have.

    Attributes:
        complete: Whether there is nothing more to come.
    """

    def __init__(self, headers: Mapping[bytes, bytes], receive: Callable[..., Any], limit: int) -> None:
        self.complete = headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers
        self._receive, self._limit = receive, limit
        self._count, self._again = 0, b""
        self._end = time.monotonic() + BODY_SECONDS

    async def receive(self) -> Message:
        """The `receive` of ASGI for gradio."""
        if self._again:
            again, self._again = self._again, b""
            return {"type": "http.request", "body": again}
        left = self._end - time.monotonic()
        try:
            message = await asyncio.wait_for(self._receive(), None if self.complete else min(READ_SECONDS, left))
        except TimeoutError as error:
            text = Sentence("Nothing came for {} seconds: send it again.", f"{READ_SECONDS:.0f}")
            if left <= READ_SECONDS:
                text = Sentence("This took longer than {} seconds to arrive: send less at once.", f"{BODY_SECONDS:.0f}")
            raise RefusalError(408, text) from error
        self._count += len(message.get("body", b""))
        self.complete = not message.get("more_body")
        if self._count > self._limit:
            raise too_large(self._limit)
        return message

    async def whole(self) -> bytes:
        """All of it; gradio then gets it once more."""
        data = b""
        while not self.complete:
            data += (await self.receive()).get("body", b"")
        self._again = data
        return data

    async def drain(self) -> None:
        """Drop the rest, for some seconds: a client may not read its answer before it has sent all."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self.complete:
                    self.complete = not (await self._receive()).get("more_body")

    def replace(self, content: Any) -> None:
        """Give gradio this JSON in place of what came."""
        self._again = json.dumps(content).encode()


def too_large(limit: int) -> RefusalError:
    """What a client is told whose request has more bytes than this."""
    return RefusalError(
        413, Sentence("The request is too large: at most {} MB are accepted here.", f"{limit / 1e6:.0f}")
    )
