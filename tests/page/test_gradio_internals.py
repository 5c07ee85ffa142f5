"""gradio's private parts do what the page counts on. A new gradio that changes one of them fails here.

What the page makes of them is tested elsewhere: MCP in test_mcp.py, the end of a server in test_guard_server.py.
"""

import ast
import asyncio
import threading
import time

import fastapi
import gradio as gr
import httpx2
import pytest
import uvicorn
from conftest import ROOT
from support.served import API, Served, file_of

from page import gradio_internals
from page.gradio_internals import Queue


@pytest.fixture(scope="module")
def page():
    """A page of one endpoint, which waits until it is told, with gradio's own server and nothing around it."""
    calls, refused, go_on = [], [], threading.Event()

    def work(file, _):
        go_on.wait(30)
        return file

    async def preprocess(read_inputs):
        calls.append("inputs")
        return await read_inputs()

    async def process(call, request, session):
        calls.append((request.client.host, session))
        return await call()

    def check(body, request):
        if body.session_hash in refused:
            raise fastapi.HTTPException(429)

    with gr.Blocks() as demo:
        file, value = gr.File(), gr.Number()
        gr.Button().click(work, [file, value], gr.Textbox(), api_name="work")
        gr.Button().click(print, None, None, api_name="helper", api_visibility="private")
    gradio_internals.refuse_addresses(file, "Send a file.")
    gradio_internals.replace_preprocess(file, lambda payload: f"read: {payload and payload.orig_name}")
    demo.queue(max_size=7, default_concurrency_limit=1)
    queue = Queue(demo)
    queue.check_each(check)
    gradio_internals.wrap_calls(demo, preprocess, process)
    demo.launch(prevent_thread_lock=True, quiet=True, show_error=True, **gradio_internals.LAUNCH)
    served = Served(None, None, demo.local_url.rstrip("/"))
    served.demo, served.queue, served.calls, served.refused, served.go_on = demo, queue, calls, refused, go_on
    with served.http:
        yield served
    demo.close(verbose=False)


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def join(page, session):
    answer = page.join([None, 1], session, "work")
    assert answer.status_code == 200, answer.text
    return answer.json()["event_id"]


def last_message(page, session):
    with httpx2.stream("GET", f"{page.url}{API}/queue/data", params={"session_hash": session}, timeout=60) as stream:
        return next(line for line in stream.iter_lines() if "process_completed" in line)


def test_the_queue_tells_who_waits_and_who_is_served(page):
    queue, go_on = page.queue, page.go_on
    go_on.clear()
    ids = {session: join(page, session) for session in ("first", "second", "third", "fourth")}
    wait_for(queue.at_work)
    assert queue.max_size == 7
    assert [event.session_hash for event in queue.at_work()] == ["first"]
    assert [event.session_hash for event in queue.waiting()] == ["second", "third", "fourth"]
    assert [queue.ahead(event_id) for event_id in ids.values()] == [1, 1, 2, 3] and queue.ahead("none") == 0
    assert queue.session(ids["third"]) == "third" and queue.session("third") == "third" and queue.session(None) is None
    assert all(map(queue.knows, [*ids, *ids.values()])) and not queue.knows("stranger")
    event = queue.waiting()[0]
    assert event.enqueue_time <= time.monotonic() and event.request.scope["client"][0] == "127.0.0.1"
    assert event.fn is gradio_internals.function(page.demo, 0) and event.fn.api_visibility == "public"
    asyncio.run(queue.remove(event))
    queue.fail(event, "Restarting", "Send it again.")
    message = last_message(page, "second")
    assert '"success":false' in message and "Send it again." in message and "Restarting" in message
    asyncio.run(queue.drop(queue.waiting()[0]))
    assert [event.session_hash for event in queue.waiting()] == ["fourth"]
    go_on.set()
    wait_for(lambda: not queue.waiting() and not queue.at_work())


def test_a_check_comes_before_the_queue(page):
    page.refused.append("refused")
    answer = page.join([None, 1], "refused", "work")
    assert answer.status_code == 429 and not page.queue.knows("refused")


def test_functions_are_found_by_number_and_by_visibility(page):
    assert [fn.api_name for fn in gradio_internals.public_functions(page.demo)] == ["work"]
    assert [gradio_internals.function(page.demo, index) is None for index in (0, 1, 2, None)] == [
        False,
        False,
        True,
        True,
    ]


def test_calls_go_through_the_pages_own_functions(page):
    page.go_on.set()
    page.calls.clear()
    _, answer = page.call([file_of(page.upload(b"a photograph", "lake.png")), 1], "work")
    (client, session), inputs = page.calls
    assert (client, inputs) == ("127.0.0.1", "inputs") and session
    assert answer[0].startswith("read: ")


def test_addresses_are_refused_where_gradio_would_fetch_them(page):
    page.go_on.set()
    _, answer = page.call([file_of("https://example.org/lake.png"), 1], "work")
    assert "Send a file." in answer


@pytest.mark.parametrize(("sent", "content"), [({"name": "zip"}, {"name": "zip"}), ([1], {}), (None, {})])
def test_what_a_script_sends_is_an_object_or_nothing(sent, content):
    assert gradio_internals.event_content(gr.EventData(None, sent)) == content


def test_the_server_is_uvicorns(page):
    assert isinstance(page.demo.server.config, uvicorn.Config)
    gradio_internals.end_open_connections(page.demo, 1)
    assert page.demo.server.config.timeout_graceful_shutdown == 1


PRIVATE = {
    "_queue",
    "_data",
    "fns",
    "preprocess",
    "preprocess_data",
    "process_api",
    "async_move_resource_to_block_cache",
}


@pytest.mark.parametrize("file", sorted((ROOT / "page").rglob("*.py")), ids=lambda file: file.stem)
def test_nothing_else_reaches_into_gradio(file):
    if file.name == "gradio_internals.py":
        return
    for node in ast.walk(ast.parse(file.read_text())):
        names = [node.module] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert not [name for name in names if name.startswith("gradio.")], ast.unparse(node)
        assert not (isinstance(node, ast.Attribute) and node.attr in PRIVATE), ast.unparse(node)
