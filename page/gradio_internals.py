"""gradio's private parts: every reach into them, each with its reason. A new gradio may change any of them.

`tests/page/test_gradio_internals.py` fails when one is gone or behaves otherwise, and `pyproject.toml` allows no other
minor version. Whatever else of the page uses of gradio is documented.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import fastapi
import gradio as gr
from gradio.block_function import BlockFunction
from gradio.data_classes import PredictBodyInternal
from gradio.mcp import GradioMCPServer as MCPServer
from gradio.processing_utils import hash_bytes
from gradio.queueing import Event
from gradio.server_messages import ProcessCompletedMessage
from gradio.utils import get_upload_folder

__all__ = ["BlockFunction", "Event", "MCPServer", "PredictBodyInternal", "get_upload_folder", "hash_bytes"]

LAUNCH: dict[str, Any] = {
    "_frontend": False,  # gradio's look at its own page gives up after three seconds: a busy machine needs more
}


class Queue:
    """A page's queue. gradio bounds its length and tells its place to nobody but the browser; nothing bounds a client.

    Args:
        demo: The page, whose `queue()` was called.
    """

    def __init__(self, demo: gr.Blocks) -> None:
        self._queue = demo._queue

    @property
    def max_size(self) -> int | None:
        """How many events may wait."""
        return self._queue.max_size

    def waiting(self) -> list[Event]:
        """The events that wait."""
        return [event for group in self._queue.event_queue_per_concurrency_id.values() for event in group.queue]

    def at_work(self) -> list[Event]:
        """The events that are worked on."""
        return [event for job in self._queue.active_jobs for event in job or []]

    def knows(self, name: str) -> bool:
        """Whether messages are kept for a session, or for an event of a call without one."""
        queue = self._queue
        if name in queue.pending_messages_per_session or name in queue.event_ids_to_events:
            return True
        return any(name in events for events in queue.pending_event_ids_session.values())

    def session(self, name: str | None) -> str | None:
        """The session of an event; any other name is a session's own."""
        event = self._queue.event_ids_to_events.get(name or "")
        return event.session_hash if event else name

    def ahead(self, event_id: str) -> int:
        """How many must be served before an event."""
        event = self._queue.event_ids_to_events.get(event_id)
        if event is None:
            return 0
        group = self._queue.event_queue_per_concurrency_id[event.concurrency_id]
        before = group.queue.index(event) if event in group.queue else 0
        return before + group.current_concurrency

    async def drop(self, event: Event) -> None:
        """Take an event out, and end it at its next message if it is worked on."""
        await self._queue.clean_events(event_id=event._id)

    async def remove(self, event: Event) -> None:
        """Take a waiting event out."""
        await self._queue.remove_from_queue(event._id)

    def fail(self, event: Event, title: str, text: str) -> None:
        """Tell an event's listener that it failed."""
        output = {"error": text, "title": title}
        self._queue.send_message(event, ProcessCompletedMessage(output=output, success=False))

    def check_each(self, check: Callable[[PredictBodyInternal, fastapi.Request], None]) -> None:
        """Call `check` before an event is taken in; what it raises refuses the event.

        gradio's own limit counts all visitors together and answers without a sentence.
        """
        push = self._queue.push

        async def checked(body: PredictBodyInternal, request: fastapi.Request, username: str | None) -> Any:
            check(body, request)
            return await push(body, request, username)

        self._queue.push = checked  # type: ignore[method-assign]


def function(demo: gr.Blocks, index: int | None) -> BlockFunction | None:
    """The function that a call's `fn_index` names."""
    return demo.fns.get(index) if index is not None else None


def public_functions(demo: gr.Blocks) -> list[BlockFunction]:
    """The functions that have an endpoint of their own."""
    return [fn for fn in demo.fns.values() if fn.api_visibility == "public"]


def wrap_calls(
    demo: gr.Blocks,
    preprocess: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]],
    process: Callable[[Callable[[], Awaitable[Any]], fastapi.Request | None, str | None], Awaitable[Any]],
) -> None:
    """Put a function of the page's own around what gradio does with a call: it answers failures `{"error": null}`.

    Args:
        demo: The page.
        preprocess: Is given what reads the inputs, and returns its result.
        process: Is given what does the whole call, the request and the session, and returns its result.
    """
    read_inputs, do_call = demo.preprocess_data, demo.process_api

    async def preprocess_data(*args: Any, **options: Any) -> Any:
        return await preprocess(lambda: read_inputs(*args, **options))

    async def process_api(*args: Any, **options: Any) -> Any:
        call = lambda: do_call(*args, **options)  # noqa: E731
        return await process(call, options.get("request"), options.get("session_hash"))

    demo.preprocess_data = preprocess_data  # type: ignore[method-assign]
    demo.process_api = process_api  # type: ignore[method-assign]


def replace_preprocess(component: Any, preprocess: Callable[[Any], Any]) -> None:
    """Read a component's value by a function of the page's own.

    gradio's own way opens uploads by name with Pillow and hides what goes wrong. The method is replaced on this one
    object: gradio writes a .pyi file beside the source of every subclass. For the same reason the component is never
    updated with `gr.update`, which would make a new object.
    """
    component.preprocess = preprocess


def refuse_addresses(component: Any, sentence: str) -> None:
    """Keep a component from downloading what a request gives the address of; the request gets a sentence."""
    move = component.async_move_resource_to_block_cache

    async def move_only_files(resource: Any) -> Any:
        if str(resource or "").lower().startswith(("http:", "https:")):
            raise gr.Error(sentence, print_exception=False)
        return await move(resource)

    component.async_move_resource_to_block_cache = move_only_files


def describe_objects(demo: gr.Blocks) -> None:
    """Say of JSON inputs of endpoints that they are objects.

    gradio says `"type": {}`, which is no JSON Schema: clients of MCP then refuse the whole tool.
    """
    for fn in public_functions(demo):
        for block in fn.inputs:
            if isinstance(block, gr.JSON):
                block.api_info = lambda: {"type": "object", "description": "a JSON object"}  # type: ignore[method-assign]
    demo.config = demo.get_config_file()  # it was made when the page was built


def event_content(event: gr.EventData) -> dict[str, Any]:
    """What a script of the page's sent with an event: any JSON, which a stranger may have written.

    gradio's documented way gives attributes, which fails for names that were not sent.
    """
    return event._data if isinstance(event._data, dict) else {}


def is_agent(request: gr.Request | None) -> bool:
    """Whether gradio's MCP server makes a call."""
    return request is not None and request.headers.get("x-gradio-user") == "mcp"


def answer_agents_with(content: Callable[[MCPServer, list[Any], str], list[Any]]) -> None:
    """Let gradio's MCP server answer with other content, made of a call's outputs and the page's address.

    It would decode and encode every full-size picture in the server's event loop, which answers nobody meanwhile; and
    of a call that asks for no progress it would give one text of all outputs.
    """
    MCPServer.postprocess_output_data = content  # type: ignore[assignment]


def end_open_connections(demo: gr.Blocks, seconds: int) -> None:
    """How long a server that ends waits for connections that stay open, such as those of tabs."""
    demo.server.config.timeout_graceful_shutdown = seconds


def quiet_abandoned_loops() -> None:
    """Keep out of the log what Python says of event loops that gradio makes for its locks and never closes.

    They are harmless; whether one is told depends on the order in which the garbage collector meets their parts.
    """
    hook = sys.unraisablehook

    def tell(unraisable: "sys.UnraisableHookArgs") -> None:
        if getattr(unraisable.object, "__qualname__", "") != "BaseEventLoop.__del__":
            hook(unraisable)

    sys.unraisablehook = tell
