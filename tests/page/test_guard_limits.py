"""Places in the queue and room on the disk, on a small page of real gradio behind the real guard."""

import contextlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr
import httpx2
import numpy as np
import pytest
from support.served import API, Served, file_of

from page.guard.files import Files
from page.guard.queue_limits import QueueLimits
from page.options import parse

MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A page whose one endpoint waits for so many seconds and gives back a file of as many megabytes."""
    from page.server import launch

    folder = tmp_path_factory.mktemp("small")
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(folder)

    def work(file, seconds, megabytes):
        time.sleep(seconds)
        if not file:
            return None
        result = folder / f"result-{time.monotonic()}" / "result.bin"
        result.parent.mkdir()
        result.write_bytes(np.random.default_rng().bytes(int(megabytes * MEGABYTE)))
        return str(result)

    with gr.Blocks() as demo:
        inputs = [gr.File(type="filepath"), gr.Number(), gr.Number()]
        gr.Button().click(work, inputs, gr.File(), api_name="colorize", concurrency_id="models")
        gr.Button().click(time.sleep, gr.Number(), None, api_name="look", api_visibility="private")
    files = Files(folder, per_owner=5 * MEGABYTE, total=12 * MEGABYTE)
    queue_limits = QueueLimits(demo, unwatched_seconds=3)
    options = parse(["--port", "0"], {})
    launch(demo, options, queue_limits, files)
    page = Served(None, None, f"http://127.0.0.1:{options.port}")
    page.files, page.demo = files, demo
    with page.http:
        yield page
    demo.close(verbose=False)
    os.environ.pop("GRADIO_TEMP_DIR") if before is None else os.environ.update(GRADIO_TEMP_DIR=before)


@pytest.fixture
def page(small):
    """The page, when nobody waits in it any more."""
    yield small
    for _ in range(200):
        if (health := small.http.get("/healthz").json())["waiting"] + health["at_work"] == 0:
            return
        time.sleep(0.1)
    pytest.fail(f"the queue does not empty: {health}")


def listen(page, session):
    """Listen to a session's messages in a thread, from now on; returns what ends that."""
    client = httpx2.Client(base_url=page.url, timeout=60)
    lines, listening = [], threading.Event()

    def read():
        try:
            with client.stream("GET", f"{API}/queue/data", params={"session_hash": session}) as stream:
                listening.set()
                lines.extend(stream.iter_lines())
        except Exception as error:  # it was closed
            lines.append(repr(error))

    thread = threading.Thread(target=read)
    thread.start()
    listening.wait(10)
    return client, thread, lines


def waiting(page, count):
    for _ in range(60):
        if page.http.get("/healthz").json()["waiting"] == count:
            return
        time.sleep(0.1)
    pytest.fail(f"{page.http.get('/healthz').json()}, expected {count} waiting")


def test_health_counts_what_runs_models(page):
    look = page.join([3], "visitor", name="look")  # as when the page is opened
    assert look.status_code == 200
    page.join([None, 1, 0], "visitor")
    for _ in range(5):
        health = page.http.get("/healthz").json()
        assert health["waiting"] + health["at_work"] == 1, health
        time.sleep(0.1)


def test_a_session_has_two_places_and_others_have_theirs(page):
    assert page.join([None, 1.5, 0], "greedy").json()["ahead"] == 0
    assert page.join([None, 0, 0], "greedy").status_code == 200
    third = page.join([None, 0, 0], "greedy")
    assert third.status_code == 429 and "2 photographs in the queue already: wait" in third.json()["detail"]
    honest = page.join([None, 0, 0], "honest")
    assert honest.status_code == 200 and honest.json()["ahead"] == 2


def test_an_address_has_six_places_whatever_it_calls_its_sessions(page):
    answers = [page.join([None, 0 if number else 3, 0], f"session{number}") for number in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429] * 2
    assert "6 photographs from your address" in answers[-1].json()["error"]


def test_a_visitor_who_leaves_frees_their_place(page):
    first = page.join([None, 4, 0], "stays")
    listen(page, "stays")
    assert first.status_code == page.join([None, 0, 0], "leaves").status_code == 200
    client, thread, _ = listen(page, "leaves")
    waiting(page, 1)
    for connection in client._transport._pool.connections:
        connection._connection._network_stream._sock.shutdown(2)
    thread.join(5)
    start = time.monotonic()
    waiting(page, 0)
    assert time.monotonic() - start < 2.5, "sooner than the job before it ended"


def test_a_place_that_nobody_listens_to_is_freed(page):
    page.join([None, 8, 0], "stays")
    listen(page, "stays")
    page.join([None, 0, 0], "silent")
    waiting(page, 1)
    start = time.monotonic()
    waiting(page, 0)
    assert 1 < time.monotonic() - start < 6


def test_a_failure_of_the_page_itself_is_a_sentence_and_in_the_log(page, caplog):
    with caplog.at_level("ERROR", "page"):
        _, sentence = page.call([None, -1, 0])
    assert sentence == "This failed for a reason of the server's own: try again, or another photograph."
    assert "sleep length must be non-negative" in caplog.text


def test_the_oldest_of_a_visitors_files_go_first(page):
    paths = [page.upload(np.random.default_rng(n).bytes(2 * MEGABYTE), f"{n}.bin") for n in range(4)]
    assert [Path(path).exists() for path in paths] == [False, False, True, True]


def test_results_count_too(page):
    paths = []
    for _ in range(4):
        upload = page.upload(b"x" * 1000, "small.bin")
        joined = page.join([file_of(upload), 0, 2], "maker")
        _, thread, lines = listen(page, "maker")
        thread.join(20)
        assert joined.status_code == 200 and "process_completed" in " ".join(lines)
        paths = [path for path in page.files.folder.rglob("result.bin")]
    assert sum(path.stat().st_size for path in paths) <= 5 * MEGABYTE and paths


def test_all_visitors_together_have_a_limit(page):
    for number in range(5):
        folder = page.files.folder / f"visitor{number}"
        folder.mkdir()
        (folder / "file.bin").write_bytes(b"x" * 4 * MEGABYTE)
        os.utime(folder / "file.bin", (time.time() + number,) * 2)
    page.files.sweep()
    left = sorted(path.parent.name for path in page.files.folder.glob("visitor*/file.bin"))
    assert left and left[-1] == "visitor4" and "visitor0" not in left
    assert sum(path.stat().st_size for path in page.files.folder.rglob("*") if path.is_file()) <= 12 * MEGABYTE


def trickle(page):
    """Begin an upload that never ends; what comes back in the end, and how long that took."""
    address, start = urlsplit(page.url), time.monotonic()
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        head = f"POST {API}/upload HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 1000000\r\n"
        connection.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
        connection.settimeout(0.1)
        answer = b""
        while time.monotonic() - start < 20:
            with contextlib.suppress(TimeoutError):
                answer += (chunk := connection.recv(65536))
                if not chunk:
                    break
            with contextlib.suppress(OSError):
                connection.sendall(b"-")
    return answer.partition(b"\r\n")[0], time.monotonic() - start


def test_uploads_that_trickle_are_few_and_end(small, monkeypatch):
    """Thirty of one client: ten are waited for, as long as a body may take, and the others are refused at once."""
    monkeypatch.setattr("page.guard.body.BODY_SECONDS", 3.0)
    monkeypatch.setattr("page.guard.body.DRAIN_SECONDS", 1.0)
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: trickle(small), range(30)))
    late = [seconds for line, seconds in answers if line.startswith(b"HTTP/1.1 408 ")]
    refused = [seconds for line, seconds in answers if line.startswith(b"HTTP/1.1 429 ")]
    assert (len(late), len(refused)) == (10, 20) and max(refused) < min(late) and max(late) < 15, answers
    assert small.upload(b"a photograph")


def test_what_is_old_goes_and_examples_stay(tmp_path):
    (tmp_path / "example.png").write_bytes(b"x")
    files = Files(tmp_path)
    (tmp_path / "upload.png").write_bytes(b"x")
    for name in ("example.png", "upload.png"):
        os.utime(tmp_path / name, (0, 0))
    files.sweep()
    assert [path.name for path in tmp_path.iterdir()] == ["example.png"]


def test_a_file_of_two_visitors_stays_for_the_other(tmp_path):
    files = Files(tmp_path, per_owner=150)
    for name in ("shared.png", "mine.png"):
        (tmp_path / name).write_bytes(b"x" * 100)
    files.claim([str(tmp_path / "shared.png")], "first")
    files.claim([str(tmp_path / "shared.png")], "second")
    files.claim([str(tmp_path / "mine.png")], "first")
    assert (tmp_path / "shared.png").exists()
    (tmp_path / "more.png").write_bytes(b"x" * 100)
    files.claim([str(tmp_path / "more.png")], "second")
    assert not (tmp_path / "shared.png").exists()
