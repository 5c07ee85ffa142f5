"""Options, log and signals of `python app.py`."""

import base64
import contextlib
import ctypes
import functools
import http.server
import json
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
from urllib.parse import urlsplit

import httpx2
import pytest
from conftest import ROOT, encoded
from support.pages import complaints
from support.served import API, file_of, served

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
    "host", ["me-colors.hf.space", "ME-COLORS.hf.space:443", "10.3.2.1:7860", "colors.example.org"]
)
def test_a_space_answers_to_any_name_as_only_the_hubs_proxy_reaches_it(space, host):
    assert space.http.get("/", headers={"host": host}).status_code == 200
    assert space.http.get("/", headers={"host": "10.3.2.1", "x-forwarded-host": host}).status_code == 200


def token(**claims):
    """What the Hub's proxy tells of a visitor, signed with a key that the page does not have."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*coded, "signature"])


def fourth(number):
    """The headers of one visitor's requests; other ones each time, but for what they say of the visitor."""
    return {"x-forwarded-for": "203.0.113.9", "x-relayed-for": f"{number:064x} 198.51.100.{number % 256}"}


PROXIED = {  # what the proxy adds, for each of the requests of one visitor; the first two have the same address
    "by a token": lambda n: {"x-ip-token": token(ip="203.0.113.7", user="a", exp=n), "x-forwarded-for": "203.0.113.7"},
    "by another token": lambda n: {"x-ip-token": token(ip="203.0.113.7", user="b"), "x-forwarded-for": "203.0.113.7"},
    "by an odd token": lambda n: {"x-ip-token": "a.b.c", "x-forwarded-for": "203.0.113.7"},
    "by address": lambda n: {"x-forwarded-for": "203.0.113.8, 10.0.0.1"},
    "by address, whatever else it says": fourth,
}


@pytest.mark.parametrize("visitor", PROXIED)
def test_visitors_of_a_space_are_told_apart_by_its_proxy(space, visitor):
    """Each comes with a full allowance, whoever came before, and uses it up."""
    headers = PROXIED[visitor]
    assert space.http.post(f"{API}/reset", json={}, headers=headers(0)).status_code == 400
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: space.http.post(f"{API}/reset", json={}, headers=headers(n)), range(300)))
    # Among these: a request that comes after them may be served again.
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) > 20 and all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert "eyJ" not in space.log.read_text(), "tokens are nobody's business"


def test_another_site_embeds_the_space(space, browser, photograph, tmp_path):
    """In a frame of another origin; and the Hub's header, which gradio shows outside of frames, may ask the Hub."""
    photograph.save(tmp_path / "old.png")
    address = f"http://127.0.0.1:{urlsplit(space.url).port}/"
    page = f"<!doctype html><link rel=icon href='data:,'><iframe src={address} width=1200 height=800></iframe>"
    (tmp_path / "index.html").write_text(page)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        texts = complaints(opened)
        opened.goto(f"http://localhost:{site.server_port}/index.html")
        inside = opened.frame_locator("iframe")
        inside.locator("#upload input[type=file]").set_input_files(tmp_path / "old.png")
        inside.get_by_role("img", name="old, colored by U-Net").wait_for()
        assert not texts
        opened.route("https://huggingface.co/**", lambda route: route.fulfill(json={"likes": 7}))
        with opened.expect_request("https://huggingface.co/**"):
            opened.goto(address)
        opened.get_by_role("tab", name="Models").wait_for()
        blocked = [text for text in texts if "Content Security Policy" in text]
        assert not [text for text in blocked if "fonts.googleapis.com" not in text], "the header does without its font"
        opened.close()
        site.shutdown()


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
