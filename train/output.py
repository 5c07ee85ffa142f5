"""The output folder: writable before the first step, and of one run at a time."""

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


def check_writable(folder: Path) -> None:
    """Make sure, before hours of training, that its result can be written.

    Raises:
        ValueError: If the folder cannot be made, or nothing can be written into it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder) as probe:  # a mounted bucket has no files without a name
            probe.write(b"\0" * 4096)
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise ValueError(f"--output-dir {folder} cannot be written: {error.strerror or error}") from error


@contextmanager
def owned(folder: Path, name: str) -> Iterator[str | None]:
    """Hold the output folder of a run.

    The lock is the system's: it ends with the process that holds it, however that ends, and decoding workers do not
    inherit it.

    Args:
        folder: The output folder; made if it is not there.
        name: The recipe.

    Yields:
        Who held it before and has ended without letting go, None if nobody.

    Raises:
        ValueError: If the folder cannot be written, or another process is training the same recipe into it.
    """
    file = folder / f".{name}.lock"
    check_writable(folder)
    with _opened(file) as lock:
        lock.seek(0)
        owner = lock.read().strip()
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ValueError(
                f"{folder} is the output of {owner or 'another process'}, which trains {name} too; two runs would "
                "destroy each other's checkpoints: wait for it, stop it, or give another --output-dir"
            ) from error
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        lock.flush()
        try:
            yield owner or None
        finally:
            try:
                file.unlink(missing_ok=True)
            except PermissionError:  # a mounted bucket removes no file that is being written
                lock.close()
                file.unlink(missing_ok=True)


def _opened(file: Path) -> TextIO:
    """Open a file to append to; one that a mounted bucket does not open a second time was left by a run that ended."""
    try:
        return file.open("a+", encoding="utf-8")
    except PermissionError:
        file.unlink()
        return file.open("a+", encoding="utf-8")
