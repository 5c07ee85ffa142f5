"""Uploads and results on the disk: a share for each visitor and for all of them, the oldest go first."""

import asyncio
import shutil
import stat
import tempfile
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

PER_OWNER = 400_000_000  # bytes; a photograph of 40 MP makes up to 230 MB of PNG
TOTAL = 3_000_000_000
KEEP_SECONDS = 1800.0
_SWEEP_SECONDS = 20.0
_PREFIX = "landscape-colorization-"  # of the folders of all pages on this machine
_LOCK = ".lock"  # in each, held as long as its page lives
_YOUNG_SECONDS = 60.0  # a folder may not be locked yet
_held: list[FileLock] = []  # else they would be let go of as garbage


class Files:
    """What lies in the folder of uploads and results, and whose it is.

    Args:
        folder: All files in it that are not there yet, at this moment, are those of visitors.
    """

    def __init__(self, folder: Path, per_owner: int = PER_OWNER, total: int = TOTAL) -> None:
        self.folder = folder.resolve()
        self.per_owner, self.total = per_owner, total
        self._owned: dict[str, OrderedDict[Path, int]] = {}
        self._own = set(self._all())  # the examples

    def claim(self, content: Any, owner: str | None) -> Any:
        """Note that all files that a request or an answer names are an owner's, and remove their oldest if too many.

        Args:
            content: JSON, with paths anywhere in it.
            owner: A session, or the address of a client without one; None claims nothing.

        Returns:
            The content, as it was.
        """
        if owner is None:
            return content
        mine = self._owned.setdefault(owner, OrderedDict())
        for file in {Path(text) for text in texts(content) if text.startswith(f"{self.folder}/")} - self._own:
            try:
                size = file.stat().st_size
            except OSError:
                continue
            mine.pop(file, None)
            mine[file] = size
        used = sum(mine.values())
        while used > self.per_owner and len(mine) > 1:
            file, size = mine.popitem(last=False)
            used -= size
            if not any(file in others for others in self._owned.values()):
                self._remove(file)
        return content

    async def watch(self) -> None:
        """Keep the whole folder within its bounds; never returns."""
        while True:
            await asyncio.to_thread(self.sweep)
            await asyncio.sleep(_SWEEP_SECONDS)

    def sweep(self) -> None:
        """Remove what is old, and then the oldest while there is too much."""
        known = []
        for file in self._all() - self._own:
            try:
                status = file.stat()
            except OSError:
                continue
            known.append((status.st_mtime, status.st_size, file))
        used, now = sum(size for _, size, _ in known), time.time()
        for written, size, file in sorted(known):
            if used <= self.total and now - written < KEEP_SECONDS:
                break
            self._remove(file)
            used -= size
        for owner in list(self._owned):
            kept = OrderedDict((file, size) for file, size in self._owned[owner].items() if file.exists())
            if kept:
                self._owned[owner] = kept
            else:
                del self._owned[owner]

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _all(self) -> set[Path]:
        return {file for file in self.folder.rglob("*") if file.is_file()}

    def _remove(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        try:
            file.parent.rmdir()
        except OSError:
            return  # it holds another


def owner(session: str | None, client: str) -> str | None:
    """Whose the files of a session are; all that come by MCP have one session, so the client counts too."""
    return f"{session} of {client}" if session else None


def own_folder(parent: str | None) -> Path:
    """A new folder for this process's uploads and results, below the given one or the system's.

    Folders that pages left when they were killed are removed: photographs of visitors are in them.
    """
    if parent:
        Path(parent).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    lock = FileLock(folder / _LOCK)
    lock.acquire()
    _held.append(lock)
    for other in folder.parent.glob(f"{_PREFIX}*"):
        _remove_left(other, folder.stat().st_uid)
    return folder


def _remove_left(folder: Path, user: int) -> None:
    """Remove another page's folder, if it is this user's and its page has ended."""
    try:
        info = folder.lstat()  # a link is not followed
        young = time.time() - info.st_mtime < _YOUNG_SECONDS and not (folder / _LOCK).exists()
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != user or young:
            return
        with FileLock(folder / _LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)
    except (Timeout, OSError):
        return  # its page is alive, or it is gone


def texts(content: Any) -> Iterator[str]:
    """All strings in JSON, however deep."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict | list | tuple):
        for entry in content.values() if isinstance(content, dict) else content:
            yield from texts(entry)
