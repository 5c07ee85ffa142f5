"""Load: many visitors at once on a running page: python -m benchmarks.load http://127.0.0.1:7860 --pid PID.

Each visitor uploads a photograph, asks for its colors and listens until they are there, again and again. Reports what
was served, refused with a sentence (busy) and lost, the waiting times against those of one visitor alone, and the
memory of the page's processes. Visitors are told apart by X-Forwarded-For, which the page believes of this machine.
"""

import argparse
import io
import itertools
import json
import re
import statistics
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx2
from PIL import Image
from skimage.data import rocket

API = "/gradio_api"


def main() -> None:
    """Run the load and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--pid", type=int, help="of the page, to watch its memory")
    options = parser.parse_args()
    pictures = [encoded(number) for number in range(options.clients)]
    visits = [Visitor(options.url, number, picture) for number, picture in enumerate(pictures)]
    alone = [visits[0].visit() for _ in range(5)][1:]
    if visits[0].outcomes:
        sys.exit(f"the page at {options.url} does not serve one visitor: {dict(visits[0].outcomes)}")
    single = statistics.median(alone)
    print(f"one visitor alone: {single:.2f} s")
    visits[0].seconds.clear()
    end = time.monotonic() + options.seconds
    threads = [threading.Thread(target=visitor.stay, args=[end]) for visitor in visits]
    for thread in threads:
        thread.start()
    memory = []
    while any(thread.is_alive() for thread in threads):
        time.sleep(2)
        memory.append(_memory(options.pid))
    seconds = sorted(second for visitor in visits for second in visitor.seconds)
    outcomes = sum((visitor.outcomes for visitor in visits), Counter())
    if not seconds:
        sys.exit(f"nobody was served: {dict(outcomes)}")
    p95 = seconds[int(0.95 * (len(seconds) - 1))]
    print(f"served {len(seconds)}, busy {outcomes['busy']}, lost {outcomes['lost']}")
    print(f"p95 {p95:.1f} s = {p95 / (options.clients * single):.2f} x clients x single")
    third = len(memory) // 3
    print(f"memory: {memory[third]:.0f} MB after a third, {memory[-1]:.0f} at the end, {max(memory):.0f} at most")


class Visitor:
    """One client with an address of its own.

    Attributes:
        seconds: How long each served request took, from the upload on.
        outcomes: How many requests were busy (refused with a sentence) or lost.
    """

    def __init__(self, url: str, number: int, picture: bytes) -> None:
        self._http = httpx2.Client(base_url=url, timeout=300, headers={"x-forwarded-for": f"198.51.100.{number + 1}"})
        self._picture = picture
        self._visits = itertools.count()
        self.seconds: list[float] = []
        self.outcomes: Counter[str] = Counter()

    def stay(self, end: float) -> None:
        """Visit again and again until then."""
        while time.monotonic() < end:
            self.visit()

    def visit(self) -> float:
        """One photograph; returns the seconds."""
        # Another comment each time makes it another file: one that was colored before comes at once.
        comment = b"\xff\xfe\x00\x0a%08d" % next(self._visits)
        picture = self._picture[:2] + comment + self._picture[2:]
        start = time.monotonic()
        try:
            answer = self._http.post(f"{API}/upload", files={"files": ("photograph.jpg", picture)})
            if answer.status_code == 200:
                file = {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}
                answer = self._http.post(f"{API}/call/colorize", json={"data": [file, 1]})
            if answer.status_code in (429, 503) and answer.json()["error"].endswith("."):
                self.outcomes["busy"] += 1
                time.sleep(int(answer.headers.get("retry-after", 1)))
            elif answer.status_code == 200 and self._done(answer.json()["event_id"]):
                self.seconds.append(time.monotonic() - start)
            else:
                self.outcomes["lost"] += 1
        except (httpx2.HTTPError, ValueError, KeyError, IndexError) as error:
            print(f"lost: {error!r}")
            self.outcomes["lost"] += 1
            time.sleep(1)
        return time.monotonic() - start

    def _done(self, event_id: str) -> bool:
        """Listen until the event is complete; False if it failed."""
        event = ""
        with self._http.stream("GET", f"{API}/call/colorize/{event_id}") as stream:
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    event = line[7:]
                elif event == "complete":
                    return bool(json.loads(line.removeprefix("data: ")))
        return False


def encoded(number: int, size: tuple[int, int] = (640, 427)) -> bytes:
    """A photograph of its own for each visitor, as a JPEG file."""
    picture = Image.fromarray(rocket()).resize(size)
    buffer = io.BytesIO()
    picture.rotate(number).save(buffer, "jpeg", quality=90)
    return buffer.getvalue()


def _memory(pid: int | None) -> float:
    """Resident megabytes of a process and its children; 0 where that is not to be had."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status") if pid else ():
        try:
            text = status.read_text()
        except OSError:  # it has just ended
            continue
        size = re.search(r"VmRSS:\s+(\d+)", text)
        if size and (status.parent.name == str(pid) or f"PPid:\t{pid}\n" in text):
            total += int(size[1])
    return total / 1000


if __name__ == "__main__":
    main()
