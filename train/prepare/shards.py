"""Pictures to JPEG rows, on all cores and in order; rows to the parquet shards of a split."""

import hashlib
import io
import os
import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Self, TypeVar

import pyarrow as pa
from PIL import Image
from pyarrow.parquet import ParquetWriter

from colorization.decode import DecodeError, decode
from train.data.dataset import PREPARED, preview_colorfulness
from train.data.raw import Item, printable, read
from train.data.splits import TEST, TRAIN, VALIDATION, Placed

AT_ONCE = 8  # shards that are written side by side; the number of shards is a multiple of it
QUALITY = 95
UNDECODABLE, GRAY, DUPLICATE, UNPAIRED, OUTSIDE = "undecodable", "gray", "duplicate", "unpaired", "outside"
_PER_SHARD = 5_000  # pictures
_GROUP = 100  # rows that a reader fetches at a time
_AHEAD = 4  # pictures per core that are decoded before they are written
_SCHEMA = PREPARED.arrow_schema  # names the Image feature in the file's metadata

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Picture(NamedTuple):
    """A picture as it is stored."""

    jpeg: bytes
    digest: bytes
    """SHA-256 of the original's upright pixels: equal for the same picture in another file."""


class Skipped(NamedTuple):
    """A file that is skipped."""

    file: str
    kind: str
    """One of the five above."""
    detail: str

    @property
    def reason(self) -> str:
        """In words."""
        return f"{self.kind} of {self.detail}" if self.kind == DUPLICATE else f"{self.kind}: {self.detail}"


def to_picture(item: Item, short_side: int, min_colorfulness: float) -> Picture | Skipped:
    """Decode one picture, make it small, and encode it without any metadata.

    Args:
        item: As `train.data.raw.scan` found it.
        short_side: Pixels; a picture is only made smaller, never larger.
        min_colorfulness: Less colorful pictures are gray.

    Returns:
        The picture, upright sRGB JPEG with color at full resolution; or why it is skipped.
    """
    try:
        picture = decode(read(item)).picture
        digest = hashlib.sha256(f"{picture.size}".encode())
        digest.update(picture.tobytes())
        small = _shrink(picture, short_side)
        measured = preview_colorfulness(small)
        if measured < min_colorfulness:
            return Skipped(item.name, GRAY, f"colorfulness {measured:.1f}, expected {min_colorfulness:g} or more")
        buffer = io.BytesIO()
        small.save(buffer, "jpeg", quality=QUALITY, subsampling=0)  # color is what is learned
    except DecodeError as error:
        return Skipped(item.name, UNDECODABLE, printable(str(error)))
    except OSError as error:  # not str(error), which would publish the path
        return Skipped(item.name, UNDECODABLE, error.strerror or "the picture cannot be stored as JPEG")
    return Picture(buffer.getvalue(), digest.digest())


def write_splits(
    folder: Path,
    placed: list[Placed],
    make: Callable[[Item], Picture | Skipped],
    shards: int | None,
    seed: int,
    skipped: list[Skipped],
    tick: Callable[[], object],
) -> Counter[tuple[str, str]]:
    """Write every usable picture once, in random order.

    Args:
        folder: Where the shards go.
        placed: The pictures.
        make: Makes one of them.
        shards: Files per split, a multiple of 8; None is 8 for every 40,000 pictures.
        seed: Of the order.
        skipped: What is skipped is added here.
        tick: Called after every picture.

    Returns:
        The number of pictures by split and source.
    """
    counts: Counter[tuple[str, str]] = Counter()
    seen: dict[bytes, str] = {}
    for split in (VALIDATION, TEST, TRAIN):  # training last: of two equal pictures it is the one to lose its own
        members = [p for p in placed if p.split == split]
        random.Random(f"{seed}/{split}").shuffle(members)
        with SplitWriter(folder, split, shards or _shard_count(len(members)), len(members)) as writer:
            for position, picture in enumerate(_in_order(make, [member.item for member in members])):
                tick()
                item, _, source = members[position]
                if isinstance(picture, Skipped):
                    skipped.append(picture)
                elif picture.digest in seen:
                    skipped.append(Skipped(item.name, DUPLICATE, seen[picture.digest]))
                else:
                    seen[picture.digest] = item.name
                    writer.add(position, picture.jpeg, str(PurePosixPath(item.name).with_suffix(".jpg")), source)
                    counts[split, source] += 1
    return counts


def _shard_count(pictures: int) -> int:
    """How many shards so many pictures get."""
    return AT_ONCE * -(-pictures // (AT_ONCE * _PER_SHARD))


def _in_order(function: Callable[[_In], _Out], items: Iterable[_In]) -> Iterator[_Out]:
    """Map on all cores. Results come in the order of the items, and few are kept, however slowly they are taken."""
    cores = os.cpu_count() or 1
    waiting: deque[Future[_Out]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > _AHEAD * cores:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


class SplitWriter:
    """The shards of one split. Pictures go round the shards in turn, eight shards at a time, so that memory is bounded.

    All shards are there at the end, empty ones too; none if no picture was written.
    """

    def __init__(self, folder: Path, split: str, shards: int, expected: int) -> None:
        """Start.

        Args:
            folder: Where to.
            split: Begins the files' names.
            shards: How many, a multiple of 8.
            expected: Pictures that there are at most, for an even share.
        """
        self.files = [folder / f"{split}-{i:05d}-of-{shards:05d}.parquet" for i in range(shards)]
        self.rounds, self.expected, self.count = shards // AT_ONCE, expected, 0
        self._round = -1
        self._open: list[_Shard] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        while self._round < self.rounds - 1:
            self._turn()
        for shard in self._open:
            shard.close()
        if not self.count:
            for file in self.files:
                file.unlink()

    def add(self, position: int, jpeg: bytes, name: str, source: str) -> None:
        """Write a picture.

        Args:
            position: Its number among the expected ones, of which some are skipped; rising.
            jpeg: The file.
            name: What the file is called.
            source: Where it comes from.
        """
        while self._round < position * self.rounds // self.expected:
            self._turn()
        self._open[self.count % AT_ONCE].add({"image": {"bytes": jpeg, "path": name}, "source": source})
        self.count += 1

    def _turn(self) -> None:
        """Close eight shards and begin the next eight."""
        for shard in self._open:
            shard.close()
        self._round += 1
        self._open = [_Shard(file) for file in self.files[self._round * AT_ONCE :][:AT_ONCE]]


class _Shard:
    """One parquet file, written in groups of rows."""

    def __init__(self, file: Path) -> None:
        self.writer = ParquetWriter(file, _SCHEMA)
        self.rows: list[dict[str, object]] = []

    def add(self, row: dict[str, object]) -> None:
        """Write a row, sooner or later."""
        self.rows.append(row)
        if len(self.rows) == _GROUP:
            self._flush()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self.writer.close()

    def _flush(self) -> None:
        """Write the rows so far as one group."""
        if self.rows:
            self.writer.write_table(pa.Table.from_pylist(self.rows, schema=_SCHEMA))
            self.rows = []


def _shrink(picture: Image.Image, short_side: int) -> Image.Image:
    """Make a picture smaller, if it is larger."""
    scale = short_side / min(picture.size)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
