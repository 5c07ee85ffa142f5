"""Places in the queue: few for each visitor, freed when he leaves, and the end of all of them."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import fastapi
import gradio as gr
from gradio.block_function import BlockFunction
from gradio.data_classes import PredictBodyInternal
from gradio.queueing import Event
from gradio.server_messages import ProcessCompletedMessage

from page.guard.refusal import RefusalError
from page.language.i18n import say

WAITING = 20  # in all
PER_SESSION = 2  # waiting or worked on, of those that run models
PER_CLIENT = 6  # the same, of one address
UNHEARD_SECONDS = 30.0  # without a listener, after which a place is freed
_QUICK = 20  # of a session's calls that run no models
MODELS = ("models", "batch", "video")  # the `concurrency_id` of all events that do


class Places:
    """Who waits in a page's queue and who is served.

    Args:
        demo: The page; its queue is asked here before it takes another call.
        unheard_seconds: How long a place is kept for one who does not listen.

    Attributes:
        closing: Whether the page is about to end and takes nothing new.
        loop: The server's, once it runs.
    """

    def __init__(self, demo: gr.Blocks, unheard_seconds: float = UNHEARD_SECONDS) -> None:
        demo.queue(max_size=WAITING, default_concurrency_limit=1, api_open=False)  # the only way to a function
        self.closing = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self._demo, self._unheard_seconds = demo, unheard_seconds
        self._queue = demo._queue
        self._listeners: Counter[str] = Counter()
        self._take = self._queue.push
        self._queue.push = self._push  # type: ignore[method-assign]

    def known(self, name: str) -> bool:
        """Whether messages are kept for a session, or for an event of a call without one."""
        queue = self._queue
        if name in queue.pending_messages_per_session or name in queue.event_ids_to_events:
            return True
        return any(name in events for events in queue.pending_event_ids_session.values())

    @contextlib.contextmanager
    def listening(self, name: str | None) -> Iterator[None]:
        """Note that somebody listens to the messages of a session or an event, while he does."""
        event = self._queue.event_ids_to_events.get(name or "")
        session = event.session_hash if event else name
        if session:
            self._listeners[session] += 1
        try:
            yield
        finally:
            if session:
                self._listeners[session] -= 1
                if not self._listeners[session]:
                    del self._listeners[session]

    def ahead(self, event_id: str) -> int:
        """How many must be served before an event."""
        event = self._queue.event_ids_to_events.get(event_id)
        if event is None:
            return 0
        group = self._queue.event_queue_per_concurrency_id[event.concurrency_id]
        before = group.queue.index(event) if event in group.queue else 0
        return before + group.current_concurrency

    def health(self) -> dict[str, Any]:
        """What `/healthz` tells: how many photographs, batches and videos wait, and how many are worked on."""
        return {
            "status": "closing" if self.closing else "ok",
            "waiting": sum(_heavy(event.fn) for event in self._waiting()),
            "at_work": sum(_heavy(event.fn) for event in self._at_work()),
        }

    async def watch(self) -> None:
        """Free the places of those who do not listen; never returns."""
        while True:
            await asyncio.sleep(1)
            late = time.monotonic() - self._unheard_seconds
            for event in [*self._waiting(), *self._at_work()]:
                if event.enqueue_time < late and not self._listeners[event.session_hash]:
                    await self._queue.clean_events(event_id=event._id)

    async def finish(self, seconds: float) -> None:
        """Take nothing new, tell those who wait that they will not be served, and give work at hand this long."""
        self.closing = True
        for event in self._waiting():
            await self._queue.remove_from_queue(event._id)
            self._dismiss(event)
        end = time.monotonic() + seconds
        while self._at_work() and time.monotonic() < end:
            await asyncio.sleep(0.05)
        for event in self._at_work():
            self._dismiss(event)
        await asyncio.sleep(0.3)  # for the last answers to go out

    def _dismiss(self, event: Event) -> None:
        text = "The page is being restarted: send it again in a minute."
        output = {"error": say(event.request, text), "title": say(event.request, "Restarting")}
        self._queue.send_message(event, ProcessCompletedMessage(output=output, success=False))

    async def _push(self, body: PredictBodyInternal, request: fastapi.Request, username: str | None) -> Any:
        """Take a call into the queue, if its sender may have one place more."""
        if body.fn_index not in self._demo.fns:
            raise RefusalError(404, "There is no endpoint of this `fn_index`; /gradio_api/info describes them.")
        client = request.scope["client"]  # as the guard has named it
        heavy = _heavy(self._demo.fns[body.fn_index])
        mine, same_client = 0, 0
        for event in [*self._waiting(), *self._at_work()]:
            if _heavy(event.fn) == heavy and event.request.scope["client"] == client:
                same_client += 1
                mine += event.session_hash == body.session_hash  # one for all visitors that come by MCP
        if heavy and mine >= PER_SESSION:
            text = f"You have {mine} photographs in the queue already: wait for one of them to be done."
            raise RefusalError(429, text, 5)
        if heavy and same_client >= PER_CLIENT:
            raise RefusalError(429, f"{same_client} photographs from your address are in the queue: wait for one.", 5)
        if mine >= _QUICK:
            raise RefusalError(429, "You ask faster than the page can answer: wait a moment.", 2)
        waiting = len(self._waiting())
        if self._queue.max_size is not None and waiting >= self._queue.max_size:
            text = f"The queue is full: {waiting} are ahead of you. Try again in a minute."
            raise RefusalError(503, text, 60)
        return await self._take(body, request, username)

    def _waiting(self) -> list[Event]:
        return [event for group in self._queue.event_queue_per_concurrency_id.values() for event in group.queue]

    def _at_work(self) -> list[Event]:
        return [event for job in self._queue.active_jobs for event in job or []]


def _heavy(fn: BlockFunction) -> bool:
    """Whether a function runs models: those of the endpoints do, and those that say so."""
    return fn.concurrency_id in MODELS or fn.api_visibility == "public"
