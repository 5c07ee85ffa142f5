"""Refusals: what a request that cannot be served is answered, and how often each client may ask."""

import base64
import hashlib
import json
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from colorization.sentence import Sentence

_CLIENTS = 10_000  # remembered at most; the longest idle is forgotten first
_TIMES = {"exp", "iat", "jti", "nbf"}  # of a JSON web token: other ones each time


class RefusalError(Exception):
    """An answer of 400 or above, with a sentence.

    Args:
        status: HTTP status.
        sentence: What came, what was expected, what to do.
        wait: Seconds after which to try again, for `Retry-After`.
        inputs: For each input of the endpoint its label, and what is wrong with it or nothing: gradio's page and client
            show these.
    """

    def __init__(
        self, status: int, sentence: str, wait: float | None = None, inputs: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.wait, self.inputs = status, sentence, wait, inputs

    def body(self, translate: Callable[[str], str]) -> bytes:
        """JSON in a client's language: `error` for readers, `detail` as gradio's page and client look for it."""
        sentence = translate(self.sentence)
        detail: Any = sentence
        if self.status == 422:  # gradio's client reads a list there, of one verdict per input
            detail = [
                {"__type__": "validate", "is_valid": not text, "message": text, "parameter_name": label}
                for label, text in self.inputs or [("request", self.sentence)]
            ]
        return json.dumps({"error": sentence, "detail": detail}).encode()

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Of the answer."""
        headers = [(b"content-type", b"application/json")]
        if self.wait is not None:
            headers.append((b"retry-after", str(max(1, round(self.wait))).encode()))
        return headers


class Rate:
    """A token bucket for each client.

    Args:
        per_second: How many requests a client may make in the long run.
        burst: How many at once.
    """

    def __init__(self, per_second: float, burst: float) -> None:
        self.per_second, self.burst = per_second, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when that was

    def take(self, client: str) -> None:
        """Count one request; raises `RefusalError` if there were too many."""
        now = time.monotonic()
        tokens, before = self._left.pop(client, (self.burst, now))
        tokens = min(self.burst, tokens + (now - before) * self.per_second)
        self._left[client] = (max(0.0, tokens - 1) if tokens >= 1 else tokens, now)
        if len(self._left) > _CLIENTS:
            self._left.popitem(last=False)
        if tokens < 1:
            wait = (1 - tokens) / self.per_second
            text = Sentence("You ask too often: at most {} such requests a second.", f"{self.per_second:g}")
            raise RefusalError(429, text, wait)


class Open:
    """Requests of each client that are open at the same time.

    Args:
        most: How many one client may have.
        sentence: What is said of one more, with `{}` for the number.
    """

    def __init__(self, most: int, sentence: str) -> None:
        self.most, self.sentence = most, sentence
        self._open: Counter[str] = Counter()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """Hold one open; raises `RefusalError` if there are too many."""
        if self._open[client] >= self.most:
            raise RefusalError(429, Sentence(self.sentence, self.most), 10)
        self._open[client] += 1
        try:
            yield
        finally:
            self._open[client] -= 1
            if not self._open[client]:
                del self._open[client]


def client_of(scope: Mapping[str, Any], behind_proxy: bool) -> str:
    """Whom a request is counted for: the address, or the network of 64 bits of an IPv6 address.

    Args:
        scope: Of ASGI.
        behind_proxy: Whether everything comes through the Hub's proxy. It gives visitors a token (x-ip-token) that
            tells them apart where many have one address, and names the address in X-Forwarded-For.
    """
    headers = dict(scope["headers"])
    if behind_proxy and (token := headers.get(b"x-ip-token")):
        return _visitor(token)
    name = (scope.get("client") or ["unknown"])[0]
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")[0].strip()
    try:
        address = ip_address(forwarded if behind_proxy and forwarded else name)
    except ValueError:
        return str(name)
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else str(address)


def _visitor(token: bytes) -> str:
    """A name for whom the Hub's proxy has given a token (JWT): a hash of what it says, less its times."""
    said: Any = None
    try:
        claims = token.split(b".")[1]
        content = json.loads(base64.urlsafe_b64decode(claims + b"=" * (-len(claims) % 4)))
        said = {name: value for name, value in content.items() if name not in _TIMES}
    except (IndexError, ValueError, AttributeError, RecursionError):
        pass  # a token of another kind: all of it is the name
    whole = json.dumps(said, sort_keys=True).encode() if said else token
    return f"visitor {hashlib.sha256(whole).hexdigest()[:16]}"
