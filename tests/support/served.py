"""The page as a process of its own, to be asked, looked at and killed."""

import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx2
from conftest import ROOT
from support.children import children

API = "/gradio_api"


class Served:
    """A running page."""

    def __init__(self, process, log, url):
        self.process, self.log, self.url = process, log, url
        self.http = httpx2.Client(base_url=url, timeout=60)

    def upload(self, data, name="photograph.png"):
        """Upload one file; its path on the server."""
        answer = self.http.post(f"{API}/upload", files={"files": (name, data)})
        assert answer.status_code == 200, answer.text
        return answer.json()[0]

    def join(self, data, session, name="colorize"):
        """Ask for a place in the queue as the page does."""
        indices = {d["api_name"]: d["id"] for d in self.http.get("/config").json()["dependencies"]}
        body = {"data": data, "fn_index": indices[name], "session_hash": session}
        return self.http.post(f"{API}/queue/join", json=body)

    def call(self, data, name="colorize"):
        """Call an endpoint as curl would: its answer, and the data or the sentence of its last event."""
        joined = self.http.post(f"{API}/call/{name}", json={"data": data})
        return (joined, None) if joined.status_code != 200 else (joined, self.wait(joined.json()["event_id"], name))

    def wait(self, event_id, name="colorize"):
        """Listen until an event is done: the data, or the sentence."""
        import json

        with self.http.stream("GET", f"{API}/call/{name}/{event_id}") as stream:
            event = None
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    event = line[7:]
                elif line.startswith("data: ") and event in ("complete", "error"):
                    content = json.loads(line[6:])
                    return content if event == "complete" else content["error"] if content else content
        return None

    def color(self, data, name="photograph.png"):
        """Upload one file and have it colored."""
        return self.call([file_of(self.upload(data, name)), 1])[1]

    def memory(self, workers=True):
        """Resident megabytes of the page, and of its workers."""
        total = 0
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                status = (folder / "status").read_text()
                own = int(folder.name) == self.process.pid or (workers and f"PPid:\t{self.process.pid}\n" in status)
                total += int(re.search(r"VmRSS:\s+(\d+)", status)[1]) if own and "VmRSS" in status else 0
        return total / 1000

    def worker(self):
        """The process id of its decode worker."""
        return next(iter(children(self.process.pid, "page.workers.decode")), None)


def file_of(path):
    """An uploaded file, as an input of an endpoint."""
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


@contextlib.contextmanager
def served(env, folder, *arguments, program="app.py"):
    """`python app.py` on a free port, from when it answers; ended by SIGTERM if it still runs."""
    log = folder / "log"
    env = env | {"GRADIO_TEMP_DIR": str(folder / "files"), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, program, "--port", "0", *arguments]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(960):
            if match := re.search(r"serving at (http://\S+?)/?\s", log.read_text()):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.25)
        page = Served(process, log, match[1].replace("0.0.0.0", "127.0.0.1"))
        with page.http:
            yield page
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(20)
