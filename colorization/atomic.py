"""Atomic writing: a file is there whole or not at all."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written(file: Path) -> Iterator[Path]:
    """A hidden path beside a file to write to; it becomes the file at the end, and is removed after an error."""
    unfinished = file.with_name(f".{file.name}.{os.getpid()}-{threading.get_native_id()}")
    try:
        yield unfinished
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
