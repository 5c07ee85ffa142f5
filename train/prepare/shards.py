"""Parquet shards of a split: pictures to JPEG rows, on all cores and in order, and rows to files."""

import hashlib
import io
import itertools
import math
import os
import statistics
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar

import pyarrow as pa
from PIL import Image
from pyarrow.parquet import ParquetWriter

from colorization.decode import DecodeError
from train.data.color import GRAY, lacks_color, preview_colorfulness
from train.data.dataset import PREPARED
from train.data.rows import Row, Rows, printable
from train.data.sampler import shuffled
from train.data.splits import TRAIN
from train.data.walk import Skipped

QUALITY = 95
UNDECODABLE, DUPLICATE = "undecodable", "duplicate"
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


def to_picture(row: Row, short_side: int, min_colorfulness: float) -> Picture | Skipped:
    """Decode one picture, make it small, and encode it without any metadata.

    Args:
        row: Of any data set.
        short_side: Pixels; a picture is only made smaller, never larger.
        min_colorfulness: Less colorful pictures are gray.

    Returns:
        The picture, upright sRGB JPEG with color at full resolution; or why it is skipped.

    Raises:
        UnavailableError: If it is elsewhere, and cannot be had.
    """
    try:
        picture = row.picture()
    except DecodeError as error:
        return Skipped(row.name, UNDECODABLE, printable(str(error)))
    digest = hashlib.sha256(f"{picture.size}".encode())
    digest.update(picture.tobytes())
    small = _shrink(picture, short_side)
    if why := lacks_color(small, min_colorfulness):
        measured = f"colorfulness {preview_colorfulness(small):.1f}, expected {min_colorfulness:g} or more"
        return Skipped(row.name, why, measured if why == GRAY else "")
    buffer = io.BytesIO()
    try:
        small.save(buffer, "jpeg", quality=QUALITY, subsampling=0)  # color is what is learned
    except OSError:
        return Skipped(row.name, UNDECODABLE, "the picture cannot be stored as JPEG")
    return Picture(buffer.getvalue(), digest.digest())


class Written(NamedTuple):
    """What a data set came to."""

    counts: Counter[tuple[str, str]]
    """Pictures by split and source."""
    shards: Counter[str]
    """Files by split."""


def write_splits(
    folder: Path,
    splits: dict[str, Rows],
    make: Callable[[Row], Picture | Skipped],
    shards: int | None,
    seed: int,
    skipped: list[Skipped],
    tick: Callable[[], object],
) -> Written:
    """Write every usable picture once, in random order.

    Args:
        folder: Where the shards go.
        splits: The pictures of each split.
        make: Makes one of them.
        shards: Files per split; None takes `shard_count`.
        seed: Of the order.
        skipped: What is skipped is added here.
        tick: Called after every picture.
    """
    written = Written(Counter(), Counter())
    seen: dict[bytes, str] = {}

    def usable(split: str, rows: Rows) -> Iterator[tuple[int, dict[str, Any]]]:
        """The place among all and the cells of each picture that is kept."""
        for position, (row, picture) in enumerate(_in_order(make, shuffled(rows, seed))):
            tick()
            if isinstance(picture, Skipped):
                skipped.append(picture)
            elif picture.digest in seen:
                skipped.append(Skipped(row.name, DUPLICATE, f"the same as {seen[picture.digest]}"))
            else:
                seen[picture.digest] = row.name
                written.counts[split, row.source] += 1
                name = str(PurePosixPath(row.name).with_suffix(".jpg"))
                yield position, {"image": {"bytes": picture.jpeg, "path": name}, "source": row.source}

    # Training last: of two equal pictures it is the one to lose its own.
    for split in sorted(splits, key=lambda split: (split == TRAIN, split)):
        rows = splits[split]
        written.shards[split] = _write_split(folder, split, usable(split, rows), rows.count, shards)
    return written


def shard_count(size: float) -> int:
    """Files that a split of so many bytes becomes: of 500 MB, but one for each lane if that leaves them 50 MB."""
    return max(1, math.ceil(size / _SHARD), min(_LANES, int(size / _SMALL_SHARD)))


def shard_names(split: str, count: int) -> list[str]:
    """The names of a split's files."""
    return [_NAME.format(split, number, count) for number in range(count)]


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
    names = shard_names(split, shards)
    groups = itertools.groupby(itertools.chain(first, rows), key=lambda row: row[0] * shards // expected)
    number = -1
    for shard, members in itertools.chain(groups, [(shards, iter(()))]):
        for empty in range(number + 1, shard):  # all of whose pictures were skipped
            _write_shard(folder / names[empty], iter(()))
        if shard < shards:
            _write_shard(folder / names[shard], (row for _, row in members))
        number = shard
    return shards


def _write_shard(file: Path, rows: Iterator[dict[str, Any]]) -> None:
    """Write one parquet file, in groups of rows that a reader fetches at a time."""
    with ParquetWriter(file, _SCHEMA) as writer:
        while group := list(itertools.islice(rows, _GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema=_SCHEMA))


def _in_order(function: Callable[[_In], _Out], arguments: Iterable[_In]) -> Iterator[tuple[_In, _Out]]:
    """Map on all cores. Pairs come in the order of the arguments; few are kept, however slowly they are taken."""
    cores = os.cpu_count() or 1
    waiting: deque[tuple[_In, Future[_Out]]] = deque()
    with ThreadPoolExecutor(cores) as pool:
        try:
            for argument in arguments:
                waiting.append((argument, pool.submit(function, argument)))
                if len(waiting) > _AHEAD * cores:
                    first, future = waiting.popleft()
                    yield first, future.result()
            for argument, future in waiting:
                yield argument, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _shrink(picture: Image.Image, short_side: int) -> Image.Image:
    """Make a picture smaller, if it is larger."""
    scale = short_side / min(picture.size)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
