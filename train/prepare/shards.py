"""Parquet shards of a split: pictures to JPEG rows, on all cores and in order, and rows to files."""

import hashlib
import io
import itertools
import math
import os
import random
import statistics
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
from PIL import Image
from pyarrow.parquet import ParquetWriter

from colorization.decode import DecodeError, decode
from train.data.dataset import PREPARED, preview_colorfulness
from train.data.raw import Item, printable, read
from train.data.splits import TEST, TRAIN, VALIDATION, Placed

QUALITY = 95
UNDECODABLE, GRAY, DUPLICATE, UNPAIRED, OUTSIDE = "undecodable", "gray", "duplicate", "unpaired", "outside"
_SHARD, _SMALL_SHARD = 500_000_000, 50_000_000  # bytes of pictures in a file
_LANES = 8  # of the trainer, if it is told nothing else
_NAME = "{}-{:05d}-of-{:05d}.parquet"
_GROUP = 100  # rows
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


class Written(NamedTuple):
    """What a data set came to."""

    counts: Counter[tuple[str, str]]
    """Pictures by split and source."""
    shards: Counter[str]
    """Files by split."""


def write_splits(
    folder: Path,
    placed: list[Placed],
    make: Callable[[Item], Picture | Skipped],
    shards: int | None,
    seed: int,
    skipped: list[Skipped],
    tick: Callable[[], object],
) -> Written:
    """Write every usable picture once, in random order.

    Args:
        folder: Where the shards go.
        placed: The pictures.
        make: Makes one of them.
        shards: Files per split; None takes `shard_count`.
        seed: Of the order.
        skipped: What is skipped is added here.
        tick: Called after every picture.
    """
    written = Written(Counter(), Counter())
    seen: dict[bytes, str] = {}

    def usable(split: str, members: list[Placed]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The place among all and the row of each picture that is kept."""
        for position, picture in enumerate(_in_order(make, [member.item for member in members])):
            tick()
            item, _, source = members[position]
            if isinstance(picture, Skipped):
                skipped.append(picture)
            elif picture.digest in seen:
                skipped.append(Skipped(item.name, DUPLICATE, seen[picture.digest]))
            else:
                seen[picture.digest] = item.name
                written.counts[split, source] += 1
                name = str(PurePosixPath(item.name).with_suffix(".jpg"))
                yield position, {"image": {"bytes": picture.jpeg, "path": name}, "source": source}

    for split in (VALIDATION, TEST, TRAIN):  # training last: of two equal pictures it is the one to lose its own
        members = [p for p in placed if p.split == split]
        random.Random(f"{seed}/{split}").shuffle(members)
        if members:
            written.shards[split] = _write_split(folder, split, usable(split, members), len(members), shards)
    return written


def shard_count(size: float) -> int:
    """Files that a split of so many bytes becomes: of 500 MB, but one for each lane if that leaves them 50 MB."""
    return max(1, math.ceil(size / _SHARD), min(_LANES, int(size / _SMALL_SHARD)))


def _write_split(
    folder: Path, split: str, rows: Iterator[tuple[int, dict[str, Any]]], expected: int, shards: int | None
) -> int:
    """Write a split's rows one file after another; their order is random, so every file is a mixture.

    `datasets` would first copy everything into an Arrow cache: measured on 180 MB of pictures, twice the disk, and
    220 MB of memory where this takes 65.

    Args:
        folder: Where to.
        split: Begins the files' names.
        rows: Each with its place among the expected ones, of which some are skipped; rising.
        expected: Rows that there are at most.
        shards: How many files; None estimates the split's size by its first rows.

    Returns:
        The number of files; 0 if there is no row.
    """
    first = list(itertools.islice(rows, _GROUP))
    if not first:
        return 0
    shards = shards or shard_count(expected * statistics.fmean(len(row["image"]["bytes"]) for _, row in first))
    groups = itertools.groupby(itertools.chain(first, rows), key=lambda row: row[0] * shards // expected)
    number = -1
    for shard, members in itertools.chain(groups, [(shards, iter(()))]):
        for empty in range(number + 1, shard):  # all of whose pictures were skipped
            _write_shard(folder / _NAME.format(split, empty, shards), iter(()))
        if shard < shards:
            _write_shard(folder / _NAME.format(split, shard, shards), (row for _, row in members))
        number = shard
    return shards


def _write_shard(file: Path, rows: Iterator[dict[str, Any]]) -> None:
    """Write one parquet file, in groups of rows that a reader fetches at a time."""
    with ParquetWriter(file, _SCHEMA) as writer:
        while group := list(itertools.islice(rows, _GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=_SCHEMA))


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


def _shrink(picture: Image.Image, short_side: int) -> Image.Image:
    """Make a picture smaller, if it is larger."""
    scale = short_side / min(picture.size)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
