"""Processes that a page has started, looked at through /proc."""

import contextlib
import time
from pathlib import Path


def children(parent, module):
    """Ids of the processes that a process has started as `python -m module` and that have not ended."""
    ids = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            mine = f"PPid:\t{parent}\n" in (folder / "status").read_text()
            if mine and module.encode() in _command(folder).split(b"\0"):
                ids.append(int(folder.name))
    return ids


def _command(folder):
    """What a process was started with; the kernel tells it a moment after the program began, and not of ended ones."""
    while not (command := (folder / "cmdline").read_bytes()) and not has_ended(folder.name):
        time.sleep(0.001)
    return command


def video_workers(parent):
    """Ids of a page's processes that color videos."""
    return children(parent, "page.workers.video_worker")


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
