"""Processes that a page has started, looked at through /proc."""

import contextlib
import time
from pathlib import Path


def video_workers(parent):
    """Process ids of the video workers that a process has started and that have not ended."""
    workers = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            mine = f"PPid:\t{parent}\n" in (folder / "status").read_text()
            if mine and b"page.video_worker" in (folder / "cmdline").read_bytes():
                workers.append(int(folder.name))
    return workers


def has_ended(pid):
    """Whether a process is gone, or only waits to be noticed by its parent."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def wait_for(condition, seconds=30):
    """Wait until a condition holds; its value."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not so after {seconds} s"
        time.sleep(0.1)
    return value
