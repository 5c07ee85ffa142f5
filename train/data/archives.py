"""Archives of pictures, zip and tar: what is in them, and one member at a time, without unpacking anything."""

import functools
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from datasets.utils.file_utils import xopen

SUFFIXES = (".zip", ".tar")
UNREAD = (".tar.gz", ".tgz", ".tar.xz", ".tar.bz2", ".tar.zst", ".7z", ".rar", ".gz", ".xz", ".bz2", ".zst")
"""Suffixes of archives that would have to be unpacked as a whole."""


class Member(NamedTuple):
    """One file in an archive."""

    archive: str
    """The archive's path or URL."""
    name: str
    offset: int | None
    """Where its bytes begin in a tar; None in a zip."""
    size: int
    """Bytes when unpacked."""


class NoMember(NamedTuple):
    """What is in an archive and cannot be read."""

    name: str
    reason: str


def members(archive: str) -> list[Member | NoMember]:
    """List an archive's files in its order.

    Args:
        archive: Path of a zip or tar, or the URL of a zip: of a tar that is not here, see `stream_tar`.

    Raises:
        ValueError: If it is damaged, or a pointer of git-lfs; the message names it.
        OSError: If it cannot be read.
    """
    try:
        return _zip_members(archive) if archive.lower().endswith(".zip") else _tar_members(archive)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise ValueError(damaged(archive, error)) from error


def read_member(member: Member) -> bytes:
    """Read one member.

    Raises:
        zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError, OSError: If it cannot be read.
    """
    if member.offset is None:
        with _zip(member.archive, os.getpid()).open(member.name) as file:
            return file.read(member.size)
    with Path(member.archive).open("rb") as file:
        file.seek(member.offset)
        return file.read(member.size)


def stream_tar(url: str) -> Iterator[tuple[str, bytes]]:
    """Read the files of a tar that is elsewhere, from its beginning: name and content.

    Raises:
        ValueError: If it is damaged; the message names it.
        OSError: If it cannot be read.
    """
    try:
        with xopen(url, "rb") as file, tarfile.open(fileobj=file, mode="r|") as tar:
            for entry in tar:
                content = tar.extractfile(entry) if entry.isreg() else None
                if content:
                    yield entry.name, content.read()
    except (tarfile.TarError, EOFError) as error:
        raise ValueError(damaged(url, error)) from error


def damaged(place: str, error: Exception) -> str:
    """A sentence for a file of a data set that cannot be read, with what to do."""
    with xopen(place, "rb") as file:
        if file.read(24).startswith(b"version https://git-lfs"):
            return f"{place} is a pointer of git-lfs, not the file itself: run `git lfs pull`"
    return f"{place} is damaged ({str(error) or type(error).__name__}): download or write it again, or remove it"


@functools.lru_cache(maxsize=4)
def _zip(archive: str, process: int) -> zipfile.ZipFile:
    """An open zip; each process has its own, because forked ones would share the position in the file."""
    file: IO[bytes] = xopen(archive, "rb")
    return zipfile.ZipFile(file)


def _zip_members(archive: str) -> list[Member | NoMember]:
    listed: list[Member | NoMember] = []
    for entry in _zip(archive, os.getpid()).infolist():
        name = str(PurePosixPath(entry.filename))
        if entry.is_dir():
            continue
        if entry.flag_bits & 1:
            listed.append(NoMember(name, "encrypted"))
        elif stat.S_ISLNK(entry.external_attr >> 16):
            listed.append(NoMember(name, "a link"))
        else:
            listed.append(Member(archive, entry.filename, None, entry.file_size))
    return listed


def _tar_members(archive: str) -> list[Member | NoMember]:
    listed: list[Member | NoMember] = []
    with tarfile.open(archive, "r:") as tar:
        for entry in tar:
            if entry.isreg() and not entry.issparse():
                listed.append(Member(archive, entry.name, entry.offset_data, entry.size))
            elif not entry.isdir():
                listed.append(NoMember(entry.name, "a link" if entry.islnk() or entry.issym() else "no regular file"))
    return listed
