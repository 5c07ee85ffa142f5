"""Steering by many visitors at once, on a running page: python -m benchmarks.steer http://127.0.0.1:7860.

Visitors send the requests that the page's own script sends, and place a point of color every second each; whose answer
takes longer waits for it, as the script does. `benchmarks.visit` measures one visitor in a browser.
"""

import itertools
import json
import random
import statistics
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import tyro

from benchmarks.load import API, encoded

_SIDE = 1200  # pixels of the picture that the script asks for
_PERIOD = 1.0  # seconds from one point to the next


@dataclass(frozen=True)
class SteerOptions:
    """Measure how long points of color take on a running page."""

    url: tyro.conf.Positional[str]
    """Its address."""
    clients: int = 20
    """Visitors at once; told apart by X-Forwarded-For, which the page believes of this machine."""
    seconds: float = 60
    """How long they stay."""


class Visitor:
    """One visitor with a photograph in color, and an address of their own.

    Attributes:
        seconds: How long each point took.
        outcomes: How many were busy (refused with a sentence) or lost.
    """

    def __init__(self, url: str, number: int) -> None:
        headers = {"x-forwarded-for": f"198.51.100.{number + 1}"}
        self._http = httpx2.Client(base_url=url, timeout=300, headers=headers)
        self._session = f"visitor{number}"
        self._random = random.Random(number)
        self._number = number
        self._requests = itertools.count(1)
        self._file = ""
        self.seconds: list[float] = []
        self.outcomes: Counter[str] = Counter()

    def arrive(self) -> None:
        """Upload a photograph and have it colored.

        Raises:
            ValueError: If the page does not do it.
        """
        config = self._http.get("/config").json()["dependencies"]
        self._events = {target[1]: entry["id"] for entry in config for target in entry["targets"]}
        answer = self._http.post(f"{API}/upload", files={"files": ("photograph.jpg", encoded(self._number))})
        self._file = answer.raise_for_status().json()[0]
        if not self._ask("color", {"names": ["unet"]}):
            raise ValueError(f"visitor {self._number + 1} gets no picture: {dict(self.outcomes)}")

    def stay(self, end: float) -> None:
        """Place point after point until then."""
        while (start := time.monotonic()) < end:
            if self._place():
                self.seconds.append(time.monotonic() - start)
            time.sleep(max(0.0, start + _PERIOD - time.monotonic()))

    def _place(self) -> bool:
        x, y = (round(self._random.uniform(0.05, 0.95), 4) for _ in "xy")
        point = {"x": x, "y": y, "color": f"#{self._random.randrange(1 << 24):06x}"}
        answer = self._ask("steer", {"names": ["steered"], "guidance": {"version": 1, "points": [point]}})
        if answer and answer.get("unknown"):  # the page has forgotten the photograph meanwhile, and is asked to read it
            answer = self._ask("color", {"names": ["unet"], "guidance": {"version": 1, "points": [point]}})
        return bool(answer)

    def _ask(self, event: str, content: dict[str, Any]) -> dict[str, Any]:
        """What the page answers to a request of its script; empty if it is refused or lost."""
        data = {"request": next(self._requests), "file": self._file, "strength": 1, "side": _SIDE, **content}
        body = {"data": [], "event_data": data, "fn_index": self._events[event], "session_hash": self._session}
        try:
            answer = self._http.post(f"{API}/queue/join", json=body)
            if answer.status_code in (429, 503):
                self.outcomes["busy"] += 1
                time.sleep(int(answer.headers.get("retry-after", 1)))
                return {}
            return self._listen(answer.raise_for_status().json()["event_id"])
        except (httpx2.HTTPError, ValueError, KeyError, IndexError) as error:
            print(f"lost: {error!r}", file=sys.stderr)
            self.outcomes["lost"] += 1
            return {}

    def _listen(self, event_id: str) -> dict[str, Any]:
        """Wait for the end of an event; raises `ValueError` if it fails."""
        with self._http.stream("GET", f"{API}/queue/data", params={"session_hash": self._session}) as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("msg") == "process_completed" and message.get("event_id") == event_id:
                    answer: dict[str, Any] = message["output"]["data"][0]
                    if not message["success"] or "failed" in answer:
                        raise ValueError(f"the page answers {str(message['output'])[:200]}")
                    return answer
        raise ValueError("the stream of answers ended early")


def at_once(options: SteerOptions) -> tuple[list[float], Counter[str]]:
    """Seconds of all points of many visitors, and what became of the others."""
    visitors = [Visitor(options.url, number) for number in range(options.clients)]
    for visitor in visitors:
        visitor.arrive()
    end = time.monotonic() + options.seconds
    threads = [threading.Thread(target=visitor.stay, args=[end]) for visitor in visitors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = [second for visitor in visitors for second in visitor.seconds]
    return seconds, sum((visitor.outcomes for visitor in visitors), Counter())


def _told(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    p95 = ordered[int(0.95 * (len(ordered) - 1))]
    return f"{len(ordered)} points, median {statistics.median(ordered):.2f} s, p95 {p95:.2f} s"


def main() -> None:
    """Print the figures."""
    options = tyro.cli(SteerOptions, prog="python -m benchmarks.steer")
    try:
        seconds, outcomes = at_once(options)
    except (httpx2.HTTPError, ValueError) as error:
        sys.exit(f"benchmarks.steer: the page at {options.url} does not serve its visitors: {error}")
    if not seconds:
        sys.exit(f"benchmarks.steer: no point was served: {dict(outcomes)}")
    busy, lost = outcomes["busy"], outcomes["lost"]
    print(f"{options.clients} visitors, a point a second each: {_told(seconds)}; busy {busy}, lost {lost}")


if __name__ == "__main__":
    main()
