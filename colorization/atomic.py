"""Atomic writing: a file or a folder is there whole or not at all."""

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MAX_NAME = 255  # bytes, of most file systems


def hidden(file: Path, kind: str) -> Path:
    """A hidden path beside a file, the same for the same file and kind, whose name is never too long."""
    name = f".{file.name}.{kind}"
    if len(os.fsencode(name)) > _MAX_NAME:
        name = f".{hashlib.sha256(os.fsencode(file.name)).hexdigest()[:32]}.{kind}"
    return file.with_name(name)


@contextmanager
def written(file: Path) -> Iterator[Path]:
    """A hidden path beside a file to write to; it becomes the file at the end, and is removed after an error."""
    unfinished = hidden(file, f"{os.getpid()}-{threading.get_native_id()}")
    try:
        yield unfinished
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def written_folder(folder: Path, *, replace: bool = True, sync: bool = False) -> Iterator[Path]:
    """A hidden folder beside one to write into; it takes its place at the end, and is removed after an error.

    Args:
        folder: Where to. Its parent is made if it is not there.
        replace: Whether a folder that is there gives way; else it must be empty.
        sync: Whether everything reaches the disk first, so that a power cut leaves the old folder or the new one.

    Raises:
        OSError: If it cannot be written, or a folder that may not give way holds something; what was there stays.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    stale = fresh.with_name(f"{fresh.name}-old")
    try:
        yield fresh
        fresh.chmod(0o755)
        if sync:
            for path in (*fresh.rglob("*"), fresh):
                _sync(path)
        if replace and folder.exists():
            folder.rename(stale)
        elif folder.exists():
            folder.rmdir()
        fresh.rename(folder)
        if sync:
            _sync(folder.parent)
    finally:
        if stale.exists() and not folder.exists():
            stale.rename(folder)
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(stale, ignore_errors=True)


def _sync(path: Path) -> None:
    """Let a file, or a folder's list of names, reach the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create(file: Path, content: bytes) -> bool:
    """Write a file that is not there yet; returns whether this call did. Of several processes, one does.

    Raises:
        OSError: If it cannot be written.
    """
    unfinished = hidden(file, f"{os.getpid()}-{threading.get_native_id()}")
    try:
        unfinished.write_bytes(content)
        try:
            os.link(unfinished, file)  # fails where the file is, and shows it whole to others
        except FileExistsError:
            return False
        except OSError:  # a file system without links, such as exFAT
            with contextlib.suppress(FileExistsError), file.open("xb") as data:
                data.write(content)
                return True
            return False
        return True
    finally:
        unfinished.unlink(missing_ok=True)
