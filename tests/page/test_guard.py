"""The guard: what a stranger may send, and what they are answered. A real server, real HTTP."""

import json
import os
import re
import signal
import socket
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from conftest import ROOT, encoded
from PIL import Image
from support.served import API, file_of, served

from page.guard.middleware import JSON_BYTES


@pytest.fixture(scope="module")
def page(subprocess_env, tmp_path_factory):
    """A page of this module's own; nothing that is sent here makes a traceback."""
    with served(subprocess_env, tmp_path_factory.mktemp("guard")) as page:
        yield page
    log = page.log.read_text()
    assert "Traceback" not in log and "Error:" not in re.sub(r"\((\w+Error): ", "", log), log


PROBES = [  # method, path, status; headers; body
    ("POST", f"{API}/run/colorize", 404, {}, {"data": [None, 1]}),
    ("POST", f"{API}/api/colorize", 404, {}, {"data": [None, 1]}),
    ("POST", f"{API}/run/predict", 404, {}, {"data": [None, 1], "fn_index": "COLORIZE", "session_hash": "a"}),
    ("POST", f"{API}/run/predict", 404, {}, {"data": [], "fn_index": 99999, "session_hash": "a"}),
    ("POST", f"{API}/call/nothing", 404, {}, {"data": []}),
    ("POST", f"{API}/call/colorize", 400, {}, b""),
    ("POST", f"{API}/call/colorize", 400, {}, b"{"),
    ("POST", f"{API}/call/colorize", 400, {}, b"\xff\xfe"),
    ("POST", f"{API}/call/colorize", 400, {}, b"[" * 100_000),
    ("POST", f"{API}/call/colorize", 400, {}, b'{"data": NaN}'),
    ("POST", f"{API}/call/colorize", 400, {}, b'{"data": ["\\ud800"]}'),
    ("POST", f"{API}/call/colorize", 400, {}, []),
    ("POST", f"{API}/call/colorize", 400, {}, None),
    ("POST", f"{API}/call/colorize", 400, {}, {}),
    ("POST", f"{API}/call/colorize", 400, {}, {"data": "x"}),
    ("POST", f"{API}/call/colorize", 400, {}, {"data": {"file": None}}),
    ("POST", f"{API}/call/colorize", 400, {}, {"data": [None, 1], "session_hash": {"a": 1}}),
    ("POST", f"{API}/call/colorize", 400, {}, {"data": [None, 1], "session_hash": "../../etc"}),
    ("POST", f"{API}/call/colorize", 400, {}, {"data": [None, 1], "event_id": 7}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": []}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [None] * 500}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": ["photograph.png", 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [7, 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [[], 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [file_of("/etc/passwd"), 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [file_of(str(ROOT / "README.md")), 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [file_of("../../etc/passwd"), 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [file_of("no\0thing"), 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [file_of("x" * 5000), 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [file_of("http://127.0.0.1:9/a.png"), 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [{"path": None, "url": "http://127.0.0.1:9/a.png"}, 1]}),
    ("POST", f"{API}/call/colorize", 422, {}, {"data": [{"path": None, "url": "data:image/png;base64,iVBO"}, 1]}),
    ("POST", f"{API}/call/v2/colorize", 422, {}, {"file": file_of("/etc/passwd")}),
    ("POST", f"{API}/call/v2/colorize", 422, {}, {}),
    ("POST", f"{API}/call/v2/nothing", 404, {}, {}),
    ("POST", f"{API}/queue/join", 400, {}, {"data": [None, 1], "fn_index": 0}),
    ("POST", f"{API}/queue/join", 404, {}, {"data": [], "session_hash": "a"}),
    ("POST", f"{API}/queue/join", 404, {}, {"data": [], "fn_index": -1, "session_hash": "a"}),
    ("POST", f"{API}/queue/join", 400, {}, {"data": [], "fn_index": "0", "session_hash": "a"}),
    ("POST", f"{API}/queue/join", 400, {}, {"data": [], "fn_index": True, "session_hash": "a"}),
    ("POST", f"{API}/cancel", 400, {}, {}),
    ("POST", f"{API}/cancel", 400, {}, {"session_hash": 1, "fn_index": 0, "event_id": "a"}),
    ("POST", f"{API}/reset", 400, {}, {"event_id": []}),
    ("POST", f"{API}/upload", 400, {}, b"no form"),
    ("POST", f"{API}/upload", 400, {"content-type": "multipart/form-data"}, b"--x\r\n\r\n--x--"),
    ("POST", f"{API}/upload", 400, {"content-type": "multipart/form-data; boundary=x"}, b"--y\r\nxx"),
    (
        *("POST", f"{API}/upload", 400, {"content-type": "multipart/form-data; boundary=x"}),
        b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nhello\r\n--x--\r\n',
    ),
    ("POST", f"{API}/process_recording", 404, {}, b"x"),
    ("POST", f"{API}/component_server", 404, {}, {}),
    ("POST", f"{API}/vibe-code/", 404, {}, {}),
    ("POST", f"{API}/stream/abc", 404, {}, {"data": []}),
    ("POST", "/login", 404, {}, b"username=a&password=b"),
    ("GET", f"{API}/runs", 404, {}, b""),
    ("GET", f"{API}/run-history/buckets", 404, {}, b""),
    ("GET", f"{API}/proxy=https://a.hf.space/x", 404, {}, b""),
    ("GET", f"{API}/file=http://127.0.0.1:9/x", 403, {}, b""),
    ("GET", f"{API}/file=HTTPS://example.org/x", 403, {}, b""),
    ("GET", f"{API}/file=file:///etc/passwd", 403, {}, b""),
    ("GET", f"{API}/file=/etc/passwd", 403, {}, b""),
    ("GET", f"{API}/file={ROOT}/app.py", 403, {}, b""),
    ("GET", f"{API}/file=%00", 403, {}, b""),
    ("GET", f"{API}/queue/data?session_hash=nobody", 404, {}, b""),
    ("GET", f"{API}/queue/data", 404, {}, b""),
    ("GET", f"{API}/call/colorize/nothing", 404, {}, b""),
    ("GET", f"{API}/upload_progress", 422, {}, b""),
    ("GET", f"{API}/upload_progress?upload_id=nobody", 404, {}, b""),
    ("GET", f"{API}/deep_link?session_hash=a", 404, {}, b""),
    ("GET", f"{API}/token", 404, {}, b""),
    ("GET", "/monitoring", 404, {}, b""),
    ("GET", "/monitoring/summary", 404, {}, b""),
    ("GET", "/nothing", 404, {}, b""),
    ("GET", "/static/../../../../etc/passwd", 404, {}, b""),
    ("GET", "/static/%2e%2e/%2e%2e/%2e%2e/etc/passwd", 403, {}, b""),
    ("GET", "/assets/nothing.js", 404, {}, b""),
    ("GET", "/openapi.json", 404, {}, b""),
    ("GET", "/docs", 404, {}, b""),
    ("GET", "/", 400, {"host": "evil.example"}, b""),
    ("GET", "/", 400, {"host": "127.0.0.1.evil.example:7860"}, b""),
    ("GET", "/", 400, {"x-forwarded-host": "evil.example"}, b""),
    ("DELETE", "/", 405, {}, b""),
    ("PUT", f"{API}/upload", 405, {}, b""),
    ("GET", f"{API}/queue/join", 405, {}, b""),
]


@pytest.mark.parametrize(("method", "path", "status", "headers", "body"), PROBES)
def test_a_malformed_call_is_answered_with_a_sentence_and_one_line_of_log(page, method, path, status, headers, body):
    if isinstance(body, dict) and body.get("fn_index") == "COLORIZE":
        dependencies = page.http.get("/config").json()["dependencies"]
        body = body | {"fn_index": next(d["id"] for d in dependencies if d["api_name"] == "colorize")}
    before = page.log.read_text()
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = page.http.request(method, path, headers=headers, content=content)
    assert answer.status_code == status, answer.text
    sentence = answer.json()["error"]
    assert re.fullmatch(r"\S.{10,300}[.?]", sentence), sentence
    assert not re.search(r"root:|Traceback|Error\b|/gradio/|site-packages", answer.text)
    for _ in range(20):
        if lines := page.log.read_text()[len(before) :].splitlines():
            break
        time.sleep(0.05)
    assert len(lines) == 1 and str(status) in lines[0], lines


def test_what_only_the_browser_does_is_no_endpoint(page):
    config = page.http.get("/config").json()["dependencies"]
    scripts = [entry for entry in config if not entry["backend_fn"]]
    assert scripts
    for entry in scripts:
        body = {"data": [None] * len(entry["inputs"]), "fn_index": entry["id"], "session_hash": "a"}
        answer = page.http.post(f"{API}/queue/join", json=body)
        assert answer.status_code == 404 and "There is no endpoint of this `fn_index`" in answer.json()["error"]


def raw(page, *parts, pause=0.0, wait=5.0):
    """Send bytes as they are, and what comes back until the other side closes or is silent."""
    address = urlsplit(page.url)
    with socket.create_connection((address.hostname, address.port), timeout=wait) as connection:
        answer = b""
        try:
            for part in parts:
                connection.sendall(part)
                time.sleep(pause)
            while chunk := connection.recv(65536):
                answer += chunk
        except (TimeoutError, ConnectionError):
            pass
        return answer


def request(page, first, *headers):
    host = f"Host: {urlsplit(page.url).netloc}".encode()
    return b"\r\n".join([first, host, *headers, b"Connection: close", b"", b""])


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # TLS
        b"GET / HTTP/9.9\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header at all\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: x, chunked\r\nContent-Length: 5\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /gradio_api/file=\xff\xfe HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(page, sent):
    answer = raw(page, sent, wait=2)
    assert re.match(rb"HTTP/1.1 4\d\d ", answer), answer
    assert page.http.get("/healthz").json()["status"] == "ok"


def test_a_body_that_is_too_large_is_refused_before_it_is_read(page):
    answer = raw(page, request(page, b"POST /gradio_api/upload HTTP/1.1", b"Content-Length: 9000000000"), wait=2)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"at most 220 MB" in answer
    answer = raw(page, request(page, b"POST /gradio_api/call/colorize HTTP/1.1", b"Content-Length: 1000001"), wait=2)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"at most 1 MB" in answer


def test_a_body_of_unknown_length_is_refused_when_it_becomes_too_large(page):
    head = request(page, b"POST /gradio_api/call/colorize HTTP/1.1", b"Transfer-Encoding: chunked")
    # As much as is allowed and one byte, as what the server has not read when it closes may cost us its answer.
    chunks = [b"%x\r\n" % length + b" " * length + b"\r\n" for length in (JSON_BYTES, 1)]
    answer = raw(page, head, *chunks, wait=2)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_file_of_more_than_twenty_megabytes_is_refused(page):
    answer = page.http.post(f"{API}/upload", files={"files": ("large.png", b"x" * 21_000_000)})
    assert answer.status_code == 413 and answer.json()["error"].endswith(".")


def test_request_headers_do_not_come_back(page, photograph):
    path = page.upload(encoded(photograph)["bytes"])
    answer = page.http.get(f"{API}/file={path}", headers={"range": "bytes=0-9", "x-secret": "mine", "cookie": "a=b"})
    assert answer.status_code == 206 and answer.content == encoded(photograph)["bytes"][:10]
    assert "mine" not in str(answer.headers) and "cookie" not in answer.headers
    for odd in ("bytes=5-1", "bytes=-", "bytes=\u00b2-3", "bytes=0-1,2-3", "bytes=99999999999-", "x"):
        answer = page.http.get(f"{API}/file={path}", headers={"range": odd.encode()})
        assert answer.status_code in (200, 206, 416), odd


def test_every_answer_has_the_headers_that_protect_it(page):
    for path in ("/", "/config", "/healthz", "/nothing", f"{API}/file=/etc/passwd"):
        headers = page.http.get(path).headers
        assert headers["x-content-type-options"] == "nosniff", path
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy and "object-src 'none'" in policy, path
        assert "frame-ancestors" not in policy and "x-frame-options" not in headers, f"{path} cannot be embedded"


def test_nobody_decides_where_the_page_thinks_it_is(page):
    headers = {"x-gradio-server": "http://evil.example", "x-forwarded-server": "evil.example"}
    assert "evil" not in page.http.get("/", headers=headers).text


def test_the_state_of_others_is_not_linked_to(page):
    assert page.http.get("/?deep_link=../../../etc/passwd").status_code == 200


def test_the_page_is_served_as_before(page, photograph):
    assert page.http.get("/healthz").json() == {"status": "ok", "waiting": 0, "at_work": 0}
    original, light, *results = page.color(encoded(photograph)["bytes"])
    assert original and light and all(file["path"] for file in results[:3])
    assert page.http.get(f"{API}/file={light['path']}").headers["content-type"] == "image/png"


def test_a_killed_decode_worker_costs_one_user_a_sentence(page, photograph):
    page.color(encoded(photograph)["bytes"])
    slow = encoded(Image.fromarray(np.full((5000, 8000), 700, np.uint16)))["bytes"]
    threading.Timer(0.5, lambda: os.kill(page.worker(), signal.SIGKILL)).start()
    assert "reading it ended unexpectedly: try again" in page.color(slow)
    assert page.color(encoded(photograph)["bytes"])[0]


def test_an_upload_that_is_gone_is_a_sentence(page, photograph):
    path = page.upload(encoded(photograph.rotate(1))["bytes"])
    blocker = page.join([file_of(page.upload(encoded(photograph)["bytes"])), 1], "blocker")
    joined = page.http.post(f"{API}/call/colorize", json={"data": [file_of(path), 1]}).json()
    Path(path).unlink()
    assert joined["ahead"] >= 1 and blocker.status_code == 200
    assert "no longer here: send it again" in page.wait(joined["event_id"])
