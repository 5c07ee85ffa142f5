"""The parent process: what a process does when its parent has ended."""

import os
import threading
import time
from collections.abc import Callable

PARENT = os.getppid()  # as early as this is imported
_SECONDS = 0.5  # between two looks


def when_parent_ends(parent: int, act: Callable[[], object]) -> None:
    """Call a function as soon as this process is no longer the child of `parent`.

    A thread looks twice a second. It sees a parent that was killed, on every system, also while the main thread waits
    in a read or a write that nobody will ever answer.

    Args:
        parent: The parent's process id, as it was when this process was meant to start.
        act: Called in the thread, once.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_SECONDS)
        act()

    threading.Thread(target=watch, daemon=True, name="parent").start()
