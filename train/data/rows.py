"""Rows of a data set: pictures that are not decoded yet, found by their number."""

import copy
import hashlib
import itertools
import tarfile
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from datasets.utils.file_utils import xopen
from numpy.typing import NDArray
from PIL import Image

from colorization import hub
from colorization.decode import DecodeError, decode, own
from train.data.archives import Member, read_member
from train.data.lab_arrays import LabRow, to_bmp
from train.data.splits import held_out

Numbers = NDArray[np.int64]

LIMITS = own(200)
"""How large pictures may be, in megapixels: one's own, of cameras of today and stitched together."""

_POINTER = b"version https://git-lfs"  # how a pointer of git-lfs begins that stands for the file itself


class UnavailableError(OSError):
    """Data that cannot be had for now: the network, the server or the process that reads it is gone."""


class Row(NamedTuple):
    """One picture, still encoded."""

    name: str
    """Where it is in the data set, with its folder, on one printable line."""
    source: str
    """Where it comes from: the column `source`, or the first folder that it is in."""
    data: bytes | str | Member | LabRow | None
    """The encoded picture, or where it lies: a path or URL, a member of an archive, a row of Lab arrays; None where
    the data set has an empty cell."""
    number: int = -1
    """Its number in the data set, given by `Cursor` and `StreamedRows`; the same in every epoch."""

    def encoded(self) -> bytes:
        """Read the encoded picture; of Lab arrays it is a BMP.

        Raises:
            DecodeError: If there is none, or it is on this machine and cannot be read.
            UnavailableError: If it is elsewhere, and cannot be had.
        """
        if self.data is None:
            raise DecodeError("the data set has an empty cell here")
        if isinstance(self.data, LabRow):
            return to_bmp(self.data)
        try:
            data = self.data if isinstance(self.data, bytes) else _content(self.data)
        except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError) as error:
            raise DecodeError(f"its archive is damaged: {error}") from error
        except hub.ERRORS as error:
            if isinstance(self.data, str) and is_url(self.data):
                raise UnavailableError(f"{self.name}: {hub.explain(error)}") from error
            raise DecodeError(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from error
        if data.startswith(_POINTER):
            raise DecodeError("it is a pointer of git-lfs, not the picture itself: run `git lfs pull`")
        return data

    def picture(self, at_least: int | None = None) -> Image.Image:
        """Decode the picture, upright and in sRGB.

        Args:
            at_least: See `colorization.decode.decode`.

        Raises:
            DecodeError: If it cannot be used; the message says why.
            UnavailableError: If it is elsewhere, and cannot be had.
        """
        return decode(self.encoded(), at_least, LIMITS).picture


class Rows(ABC):
    """Rows whose number is known, in pieces that are each read from their beginning.

    Attributes:
        name: What the data set is called in messages.
        ends: Rows in all pieces up to the end of each one, (pieces,).
        numbers: Which of the rows are used, rising, (rows,); `only` makes them fewer.
        block: How many rows may be in memory at a time.
    """

    def __init__(self, name: str, lengths: Sequence[int] | Numbers) -> None:
        self.name = name
        self.ends: Numbers = np.cumsum(np.asarray(lengths, dtype=np.int64))
        self.numbers: Numbers = np.arange(self.ends[-1] if len(self.ends) else 0)
        self.block = 256

    @abstractmethod
    def read_piece(self, piece: int) -> Iterator[Row]:
        """Read the rows of one piece in order.

        Raises:
            ValueError: If its file is damaged; the message names it.
            UnavailableError: If it cannot be had, as without a network.
        """

    @abstractmethod
    def sources(self) -> NDArray[np.str_]:
        """The source of every row, used or not, (all rows,).

        Raises:
            ValueError: If the data set does not say.
        """

    @abstractmethod
    def keys(self) -> Sequence[str]:
        """What each row is known by, used or not, also after others have been added."""

    @abstractmethod
    def facts(self) -> Iterator[str]:
        """What tells this data set from others wherever it lies: names and sizes of its files."""

    @property
    def count(self) -> int:
        """How many rows are used."""
        return len(self.numbers)

    def __iter__(self) -> Iterator[Row]:
        """Walk the rows that are used, in order, once."""
        cursor = Cursor(self)
        return (cursor.row(number) for number in self.numbers)

    def only(self, numbers: Numbers) -> Self:
        """The same data set with some of its rows only."""
        fewer = copy.copy(self)
        fewer.numbers = numbers
        return fewer

    def first(self, limit: int) -> Self:
        """The first so many of the rows."""
        return self.only(self.numbers[:limit])

    def held_out(self, share: float) -> tuple[Self, Self]:
        """Rows to train on, and those that are held out; see `train.data.splits.held_out`."""
        inside = held_out(self.keys(), share)[self.numbers]
        return self.only(self.numbers[~inside]), self.only(self.numbers[inside])

    def fingerprint(self) -> str:
        """A hash of `facts`: the same for the same files in another place."""
        digest = hashlib.sha256()
        for fact in self.facts():
            digest.update(fact.encode(errors="surrogateescape") + b"\n")
        return digest.hexdigest()


class Cursor:
    """Rows by their numbers. A number in the piece of the one before, and after it, is found by reading on."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.piece, self.next = -1, 0
        self.rest: Iterator[Row] = iter(())

    def row(self, number: int) -> Row:
        """Read one row; see `Rows.read_piece` for what it raises."""
        piece = int(np.searchsorted(self.rows.ends, number, side="right"))
        offset = int(number) - (int(self.rows.ends[piece - 1]) if piece else 0)
        if piece != self.piece or offset < self.next:
            self.piece, self.next, self.rest = piece, 0, self.rows.read_piece(piece)
        row = next(itertools.islice(self.rest, offset - self.next, None))
        self.next = offset + 1
        return row._replace(number=int(number))


class ListedRows(Rows):
    """Rows that are files, members of archives or rows of Lab arrays; each is a piece."""

    def __init__(self, name: str, rows: Sequence[Row]) -> None:
        super().__init__(name, [1] * len(rows))
        self.rows = rows

    def read_piece(self, piece: int) -> Iterator[Row]:
        """See `Rows.read_piece`."""
        return iter((self.rows[piece],))

    def sources(self) -> NDArray[np.str_]:
        """The first folder of each."""
        return np.array([row.source for row in self.rows])

    def keys(self) -> Sequence[str]:
        """Their names."""
        return [row.name for row in self.rows]

    def facts(self) -> Iterator[str]:
        """See `Rows.facts`."""
        for row in self.rows:
            size = Path(row.data).stat().st_size if isinstance(row.data, str) and not is_url(row.data) else ""
            yield f"{row.name} {size}"


def is_url(place: str) -> bool:
    """Whether a place is elsewhere, and not a path on this machine."""
    return "://" in place


def from_cell(cell: Any, folder: Path | None) -> bytes | str | None:
    """The picture in a cell of a table: encoded, or where it lies.

    Args:
        cell: `{"bytes": ..., "path": ...}` as `datasets` stores pictures, or the bytes or the path alone.
        folder: Where paths begin; None where a path may not lead to a file of this machine, because the table is
            somebody else's.
    """
    if isinstance(cell, dict):
        cell = cell.get("bytes") if cell.get("bytes") is not None else cell.get("path")
    if not isinstance(cell, str) or is_url(cell):
        return cell if isinstance(cell, bytes | str) else None
    return str(folder / cell) if folder else None


def cell_name(cell: Any, file: str, number: int) -> str:
    """What a cell's picture is called: the path stored with it, below its file if it has no folder, or a number."""
    path = cell.get("path") if isinstance(cell, dict) else cell if isinstance(cell, str) else None
    name = path or f"{number:06d}"
    return printable(name if "/" in name or not file else f"{file}/{name}")


def printable(name: str) -> str:
    """A name on one line, in letters that every file format can hold."""
    return "".join(c if c.isprintable() else "?" for c in name)


def _content(place: str | Member) -> bytes:
    """Read a file or a member of an archive, unless it is too large."""
    if isinstance(place, Member):
        LIMITS.check_bytes(place.size)
        return read_member(place)
    if is_url(place):
        with xopen(place, "rb") as file:
            return file.read()
    file = Path(place)
    LIMITS.check_bytes(file.stat().st_size)  # before it is read
    return file.read_bytes()
