"""Limits of the queue: few places for each visitor, freed when they leave, and the end of all of them."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import fastapi
import gradio as gr

from colorization.sentence import Sentence
from page.gradio_internals import BlockFunction, Event, PredictBodyInternal, Queue, function
from page.guard.refusal import RefusalError
from page.language.i18n import say

WAITING = 20  # in all
PER_SESSION = 2  # waiting or worked on, of those that run models
PER_CLIENT = 6  # the same, of one address
UNWATCHED_SECONDS = 30.0  # without a listener, after which a place is freed
_QUICK = 20  # of a session's calls that run no models
MODELS = ("models", "batch", "video")  # the `concurrency_id` of all events that do


class QueueLimits:
    """Who waits in a page's queue and who is served.

    Args:
        demo: The page; its queue is asked here before it takes another call.
        unwatched_seconds: How long a place is kept for those who do not listen.

    Attributes:
        closing: Whether the page is about to end and takes nothing new.
        loop: The server's, once it runs.
    """

    def __init__(self, demo: gr.Blocks, unwatched_seconds: float = UNWATCHED_SECONDS) -> None:
        demo.queue(max_size=WAITING, default_concurrency_limit=1, api_open=False)  # the only way to a function
        self.closing = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.queue = Queue(demo)
        self.queue.check_each(self._check)
        self._demo, self._unwatched_seconds = demo, unwatched_seconds
        self._listeners: Counter[str] = Counter()

    @contextlib.contextmanager
    def listening(self, name: str | None) -> Iterator[None]:
        """Note that somebody listens to the messages of a session or an event, while they do."""
        session = self.queue.session(name)
        if session:
            self._listeners[session] += 1
        try:
            yield
        finally:
            if session:
                self._listeners[session] -= 1
                if not self._listeners[session]:
                    del self._listeners[session]

    def health(self) -> dict[str, Any]:
        """What `/healthz` tells: how many photographs, batches and videos wait, and how many are worked on."""
        return {
            "status": "closing" if self.closing else "ok",
            "waiting": sum(_runs_models(event.fn) for event in self.queue.waiting()),
            "at_work": sum(_runs_models(event.fn) for event in self.queue.at_work()),
        }

    async def watch(self) -> None:
        """Free the places of those who do not listen; never returns."""
        while True:
            await asyncio.sleep(1)
            late = time.monotonic() - self._unwatched_seconds
            for event in [*self.queue.waiting(), *self.queue.at_work()]:
                if event.enqueue_time < late and not self._listeners[event.session_hash]:
                    await self.queue.drop(event)

    async def finish(self, seconds: float) -> None:
        """Take nothing new, tell those who wait that they will not be served, and give work at hand this long."""
        self.closing = True
        dismissed = self.queue.waiting()
        for event in dismissed:
            await self.queue.remove(event)
        end = time.monotonic() + seconds
        self._dismiss(dismissed)
        while self.queue.at_work() and time.monotonic() < end:
            await asyncio.sleep(0.05)
        self._dismiss(self.queue.at_work())
        await asyncio.sleep(0.3)  # for the last answers to go out

    def _dismiss(self, events: list[Event]) -> None:
        for event in events:
            text = "The page is being restarted: send it again in a minute."
            self.queue.fail(event, say(event.request, "Restarting"), say(event.request, text))

    def _check(self, body: PredictBodyInternal, request: fastapi.Request) -> None:
        """Refuse a call whose sender may have no place more."""
        fn = function(self._demo, body.fn_index)
        if fn is None:
            raise RefusalError(404, "There is no endpoint of this `fn_index`; /gradio_api/info describes them.")
        client = request.scope["client"]  # as the guard has named it
        runs_models = _runs_models(fn)
        mine, same_client = 0, 0
        for event in [*self.queue.waiting(), *self.queue.at_work()]:
            if _runs_models(event.fn) == runs_models and event.request.scope["client"] == client:
                same_client += 1
                mine += event.session_hash == body.session_hash  # one for all visitors that come by MCP
        if runs_models and mine >= PER_SESSION:
            text = Sentence("You have {} photographs in the queue already: wait for one of them to be done.", mine)
            raise RefusalError(429, text, 5)
        if runs_models and same_client >= PER_CLIENT:
            raise RefusalError(
                429, Sentence("{} photographs from your address are in the queue: wait for one.", same_client), 5
            )
        if mine >= _QUICK:
            raise RefusalError(429, "You ask faster than the page can answer: wait a moment.", 2)
        waiting = len(self.queue.waiting())
        if self.queue.max_size is not None and waiting >= self.queue.max_size:
            text = Sentence("The queue is full: {} are ahead of you. Try again in a minute.", waiting)
            raise RefusalError(503, text, 60)


def _runs_models(fn: BlockFunction) -> bool:
    """Whether a function runs models: those of the endpoints do, and those that say so."""
    return fn.concurrency_id in MODELS or fn.api_visibility == "public"
