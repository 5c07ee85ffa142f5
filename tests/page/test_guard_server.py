"""Options, log and signals of `python app.py`."""

import contextlib
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

import pytest
from conftest import ROOT, encoded
from support.served import API, served

SPACE = {
    "SYSTEM": "spaces",
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
        page.http.base_url = page.url = page.url.replace("0.0.0.0", "127.0.0.1")
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_work_at_hand_and_then_the_page(space, subprocess_env, photograph, tmp_path, number):
    """With tabs open: a heartbeat and a session that listens; and one visitor who waits behind another."""
    with served(subprocess_env, tmp_path) if number == signal.SIGINT else contextlib.nullcontext(space) as page:
        page.color(encoded(photograph, "jpeg")["bytes"])
        results = {}

        def visit(name):
            results[name] = page.color(encoded(photograph.rotate(len(name)), "jpeg")["bytes"])

        def stay():
            with contextlib.suppress(Exception), page.http.stream("GET", f"{API}/heartbeat/tab") as stream:
                for _ in stream.iter_lines():
                    pass

        threads = [threading.Thread(target=stay, daemon=True)]
        threads += [threading.Thread(target=visit, args=[name]) for name in ("a", "bb", "ccc", "dddd")]
        [thread.start() for thread in threads]
        while page.http.get("/healthz").json()["waiting"] < 3:
            time.sleep(0.02)
        folder = next(Path(page.log.parent / "files").iterdir())
        assert any(folder.rglob("*.png"))
        worker, start = page.worker(), time.monotonic()
        page.process.send_signal(number)
        assert page.process.wait(12) == 0
        assert time.monotonic() - start < 10
        [thread.join(10) for thread in threads[1:]]
        sentences = [result for result in results.values() if isinstance(result, str)]
        assert len(results) == 4 and len(sentences) <= 3, results
        assert all("is being restarted: send it again" in sentence for sentence in sentences), sentences
        assert not folder.exists()
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
        log = page.log.read_text()
        assert "finishing what is at work" in log and log.rstrip().endswith("ended") and "Traceback" not in log
