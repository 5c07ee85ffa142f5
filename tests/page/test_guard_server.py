"""Options, log and signals of `python app.py`."""

import contextlib
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from conftest import ROOT, encoded
from support.served import API, file_of, served

SPACE = {
    "SPACE_ID": "me/colors",
    "SPACE_HOST": "me-colors.hf.space",
    "GRADIO_SERVER_NAME": "0.0.0.0",
}


def run(env, *arguments):
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "app.py", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr and time.monotonic() - start < 15
    return done


def test_help_starts_no_server(subprocess_env):
    done = run(subprocess_env, "--help")
    assert done.returncode == 0
    for option in ("--host", "--port", "--share", "--root-path", "--log-level", "--trusted-host"):
        assert option in done.stdout


@pytest.mark.parametrize(
    ("settings", "arguments", "sentence"),
    [
        ({"GRADIO_SERVER_PORT": "abc"}, [], "GRADIO_SERVER_PORT is 'abc', expected a number of 0 to 65535"),
        ({}, ["--port", "70000"], "is '70000', expected a number of 0 to 65535"),
        ({}, ["--host", "192.0.2.1"], "cannot listen on 192.0.2.1, port 7860"),
        ({}, ["--log-level", "loud"], "invalid choice: 'loud'"),
        ({}, ["photograph.png"], "unrecognized arguments: photograph.png"),
    ],
)
def test_a_wrong_option_is_a_sentence(subprocess_env, settings, arguments, sentence):
    done = run(subprocess_env | settings, *arguments)
    assert done.returncode == 2 and sentence in done.stderr


def test_a_taken_port_is_an_error(subprocess_env):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(subprocess_env, "--port", str(port))
    assert done.returncode == 2
    assert f"port {port}: Address already in use: stop what listens there, or give another --port" in done.stderr


@pytest.fixture(scope="module")
def space(subprocess_env, tmp_path_factory):
    """A page with the environment of a Space."""
    env = {name: value for name, value in subprocess_env.items() if name != "HF_TOKEN"} | SPACE
    with served(env, tmp_path_factory.mktemp("space")) as page:
        yield page


def test_the_log_says_what_is_served_and_where(space):
    log = space.log.read_text()
    for line in (
        r"landscape-colorization \d+\.\d+\.\d+, gradio 6\.",
        r"model unet: embedded",
        r"limits: 20 MB and 40 megapixels a photograph, 10 s to decode it; 20 places in the queue, 2 a session",
        r"serving at http://\S+:\d+",
    ):
        assert re.search(line, log), log


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("me-colors.hf.space", 200),
        ("ME-COLORS.hf.space:443", 200),
        ("10.3.2.1:7860", 200),  # a health check
        ("evil.example", 400),
        ("me-colors.hf.space.evil.example", 400),
    ],
)
def test_a_space_answers_to_its_own_name(space, host, status):
    assert space.http.get("/", headers={"host": host}).status_code == status
    assert space.http.get("/", headers={"host": "me-colors.hf.space", "x-forwarded-host": host}).status_code == status
    assert space.http.get("/healthz", headers={"host": host}).status_code == 200


def test_visitors_of_a_space_are_told_apart_by_its_proxy(space):
    first, second = ({"x-forwarded-for": address} for address in ("203.0.113.7, 10.0.0.1", "203.0.113.8"))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: space.http.post(f"{API}/reset", json={}, headers=first), range(300)))
    assert [answer.status_code for answer in answers].count(429) > 20
    answer = space.http.post(f"{API}/reset", json={}, headers=first)
    assert (
        answer.status_code == 429 and int(answer.headers["retry-after"]) >= 1 and "too often" in answer.json()["error"]
    )
    assert space.http.post(f"{API}/reset", json={}, headers=second).status_code == 400


SMALL = """
import os, time
import gradio as gr
from page.guard.files import own_folder
from page.options import parse

if __name__ == "__main__":
    options = parse(["--port", "0"], {})
    os.environ["GRADIO_TEMP_DIR"] = str(own_folder(os.environ["GRADIO_TEMP_DIR"]))
    import logging
    from page.server import run
    logging.basicConfig(level="INFO")
    def work(seconds):
        time.sleep(seconds)
        return "done"
    with gr.Blocks() as demo:
        gr.Button().click(work, gr.Number(), gr.Textbox(), api_name="colorize")
    run(demo, options)
"""


def visits(page, *inputs):
    """Ask for as many jobs at once, listen to all, with a tab open; returns the threads and where their answers go."""
    results = {}

    def visit(number):
        results[number] = page.call(inputs[number])[1]

    def stay():
        with contextlib.suppress(Exception), page.http.stream("GET", f"{API}/heartbeat/tab") as stream:
            for _ in stream.iter_lines():
                pass

    threading.Thread(target=stay, daemon=True).start()
    threads = [threading.Thread(target=visit, args=[number]) for number in range(len(inputs))]
    [thread.start() for thread in threads]
    for _ in range(600):
        health = page.http.get("/healthz").json()
        if health["waiting"] + health["at_work"] == len(inputs):
            break
        time.sleep(0.02)
    return threads, results


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_work_at_hand_and_then_the_page(subprocess_env, tmp_path, number):
    """A small page of real gradio: what is at work gets its answer, who waits a sentence, and a tab may stay open."""
    (tmp_path / "small.py").write_text(SMALL)
    with served(subprocess_env, tmp_path, program=str(tmp_path / "small.py")) as page:
        threads, results = visits(page, [2.5], [1], [1])
        start = time.monotonic()
        page.process.send_signal(number)
        with contextlib.suppress(httpx2.TransportError):
            while page.http.get("/healthz").status_code == 200 and time.monotonic() - start < 2:
                time.sleep(0.02)
            answer = page.http.post(f"{API}/call/colorize", json={"data": [0]})
            assert answer.status_code == 503 and "being restarted" in answer.json()["error"]
        assert page.process.wait(12) == 0
        assert time.monotonic() - start < 10
        [thread.join(10) for thread in threads]
        assert ["done"] in results.values()
        assert list(results.values()).count("The page is being restarted: send it again in a minute.") == 2, results
        assert not list((tmp_path / "files").glob("landscape-colorization-*"))
        log = page.log.read_text()
        assert "finishing what is at work" in log and log.rstrip().endswith("ended") and "Traceback" not in log


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="sends a signal to one thread")
def test_a_signal_that_another_thread_takes_ends_the_page_too(subprocess_env, tmp_path):
    (tmp_path / "small.py").write_text(SMALL)
    with served(subprocess_env, tmp_path, program=str(tmp_path / "small.py")) as page:
        main = page.process.pid
        other = max(int(thread.name) for thread in Path(f"/proc/{main}/task").iterdir())
        assert other != main and ctypes.CDLL(None).tgkill(main, other, signal.SIGTERM) == 0
        assert page.process.wait(12) == 0


@pytest.mark.slow
def test_work_that_takes_too_long_does_not_keep_the_page(subprocess_env, tmp_path):
    (tmp_path / "small.py").write_text(SMALL)
    with served(subprocess_env, tmp_path, program=str(tmp_path / "small.py")) as page:
        threads, results = visits(page, [60])
        start = time.monotonic()
        page.process.terminate()
        assert page.process.wait(15) == 0 and time.monotonic() - start < 12
        [thread.join(10) for thread in threads]
        assert list(results.values()) == ["The page is being restarted: send it again in a minute."]


@pytest.mark.slow
def test_the_page_of_a_space_leaves_nothing_behind(space, photograph):
    """Whether the photograph at work is done or not: its sender is answered, files and worker are gone."""
    assert space.color(encoded(photograph)["bytes"])[0]
    folder = next(Path(space.log.parent / "files").iterdir())
    assert any(folder.rglob("*.png"))
    upload = space.upload(encoded(photograph)["bytes"])
    threads, results = visits(space, [file_of(upload), 1], [file_of(upload), 1])
    worker, start = space.worker(), time.monotonic()
    space.process.terminate()
    assert space.process.wait(15) == 0 and time.monotonic() - start < 12
    [thread.join(10) for thread in threads]
    assert len(results) == 2 and all(isinstance(r, list) or "being restarted" in r for r in results.values()), results
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert "Traceback" not in space.log.read_text()
