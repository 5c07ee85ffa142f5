"""Uploads of many photographs: files and zips, unpacked one photograph at a time, within bounds."""

import io
import logging
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from colorization.decode import STRANGERS
from colorization.sentence import Sentence
from colorization.text import decoded

log = logging.getLogger("page")

MAX_FILES = 50
MAX_TOTAL_BYTES = 100_000_000
_UTF8 = 0x800  # flag of a member whose name is in it
_MAX_DIRECTORY_BYTES = 1_000_000  # of a zip's table of contents, which is read whole


class Item(NamedTuple):
    """One file of a batch, or why it cannot be used."""

    name: str
    """The file's own name, without folders."""
    data: bytes
    problem: str = ""
    file: Path | None = None
    """Where it lies on the disk; None for what is in a zip."""


def items(files: Sequence[Path]) -> Iterator[Item]:
    """Go through uploads and what is in zips; folders inside zips and hidden files are skipped.

    Nothing is written: names of a zip's members are never used as paths. What is too much or cannot be read is an item
    with a problem.
    """
    count = total = 0
    for item in _all(files):
        count, total = count + 1, total + len(item.data)
        if count > MAX_FILES:
            yield Item(
                item.name,
                b"",
                Sentence("at most {} files are colored at once: send this and the rest later", MAX_FILES),
            )
            return
        if total > MAX_TOTAL_BYTES:
            text = Sentence(
                "the files have over {} MB together: send this and the rest later", MAX_TOTAL_BYTES // 10**6
            )
            yield Item(item.name, b"", text)
            return
        yield item


def _all(files: Sequence[Path]) -> Iterator[Item]:
    for file in files:
        try:
            data = file.read_bytes()
        except OSError:
            yield Item(file.name, b"", "the upload is no longer here: send it again")
            continue
        if _is_zip(data):
            yield from _members(file.name, data)
        else:
            yield Item(file.name, data, file=file)


def _is_zip(data: bytes) -> bool:
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def _members(name: str, data: bytes) -> Iterator[Item]:
    end = data.rfind(b"PK\x05\x06")
    size = int.from_bytes(data[end + 12 : end + 16], "little") if end >= 0 else 0
    if size > _MAX_DIRECTORY_BYTES or data[max(0, end - 20) : end].startswith(b"PK\x06\x07"):
        yield Item(name, b"", "the zip has far too many entries")
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        log.info("a zip of %d bytes is refused: %r", len(data), error)
        yield Item(name, b"", "the zip is damaged or cut short: make it again")
        return
    members = [member for member in archive.infolist() if not member.is_dir() and not _hidden(member.filename)]
    if not members:
        yield Item(name, b"", "the zip holds no files")
    for member in members:
        yield _read(archive, member)


def _hidden(path: str) -> bool:
    """Whether a file manager would not show it: .DS_Store, __MACOSX/._lake.jpg, Thumbs.db."""
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return any(part.startswith((".", "__MACOSX")) and part != ".." for part in parts) or parts[-1] == "Thumbs.db"


def _name(member: zipfile.ZipInfo) -> str:
    """A member's path; where the zip does not say that it is UTF-8, zipfile takes it for DOS's CP437."""
    return member.filename if member.flag_bits & _UTF8 else decoded(member.filename.encode("cp437"), "cp437")


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Item:
    """One member of a zip, never more bytes of it than a photograph may have, whatever the zip announces."""
    name = PurePosixPath(_name(member).replace("\\", "/")).name
    if member.flag_bits & 1:
        return Item(name, b"", "it is encrypted: make the zip without a password")
    try:
        with archive.open(member) as file:
            data = file.read(STRANGERS.bytes + 1)
    except Exception as error:  # damaged bytes may raise anything at all
        log.info("a member of a zip is refused: %r", error)
        return Item(name, b"", "the zip is damaged here: make it again")
    if len(data) > STRANGERS.bytes:
        return Item(name, b"", Sentence("it has more than {} MB", STRANGERS.bytes // 10**6))
    if _is_zip(data):
        return Item(name, b"", "zips inside zips are not opened")
    return Item(name, data)
