"""Data sets of all kinds that `datasets` reads, opened for streaming with its pictures still encoded."""

import contextlib
import glob
import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import numpy as np
from datasets.utils.file_utils import xopen
from PIL import Image
from pyarrow.parquet import ParquetFile

from colorization.decode import DecodeError, decode
from colorization.metrics import colorfulness
from train.data.raw import Item, is_raw, read, scan
from train.data.splits import TRAIN, named_splits, split_folders

PREPARED = datasets.Features({"image": datasets.Image(), "source": datasets.Value("string")})
"""The columns of what `train.prepare` writes."""

SOURCE = "source"
"""Column that names where a picture is from, for drawing small sources more often."""

_CHECKED = 10  # rows that tell whether a column holds pictures
_PREVIEW = 64  # colorfulness is measured on a thumbnail of this size
_RAW_SHARDS = 64  # for processes and workers to share


def open_stream(
    spec: str,
    split: str,
    column: str = "image",
    *,
    config: str | None = None,
    revision: str | None = None,
    limit: int | None = None,
    with_source: bool = False,
) -> datasets.IterableDataset:
    """Open a data set for streaming, with its pictures still encoded.

    Args:
        spec: A folder of images, of parquet files or of WebDataset's tar files, a parquet glob, a Hub data set id, or
            a raw form of the earlier rounds, pairs (`color/`, `gray/`) or Lab arrays (`l/`, `ab/`), see
            `train.data.raw`.
        split: Name of the split; a folder of images or of a raw form without split folders is all "train", a glob is
            any split.
        column: Column that holds the pictures.
        config: Configuration of a Hub data set.
        revision: Branch, tag or commit of a Hub data set.
        limit: Open so many rows only.
        with_source: Keep the column `source` too.

    Returns:
        A stream of rows whose `column` is `{"bytes": ..., "path": ...}`.

    Raises:
        ValueError: If there is no such data set, split or column, or the column holds no pictures; the message says
            what there is.
    """
    path = Path(spec)
    if is_local(spec) and (config or revision):
        raise ValueError(f"{spec} is here and no Hub data set: --dataset-config and --dataset-revision are for those")
    try:
        if any(c in spec for c in "*?["):
            if not glob.glob(spec, recursive=True):
                raise ValueError(f"no file matches --dataset {spec}")
            stream = datasets.load_dataset("parquet", data_files={split: spec}, split=split, streaming=True)
        elif path.is_dir():
            stream = _open_folder(path, split)
        else:
            stream = datasets.load_dataset(spec, config, split=split, revision=revision, streaming=True)
    except ValueError as error:
        raise ValueError(f"cannot open the split {split!r} of {spec}: {error}") from error
    except (OSError, datasets.exceptions.DatasetNotFoundError) as error:
        where = "in this folder" if path.is_dir() else "it is no folder here, and the Hub says"
        raise ValueError(f"cannot open {spec}: {where}: {error}") from error
    columns = stream.column_names or list(next(iter(stream)))
    if column not in columns:
        raise ValueError(f"{spec} has no column {column!r}, only {', '.join(columns)}: choose with --image-column")
    if with_source and SOURCE not in columns:
        raise ValueError(f"{spec} has no column {SOURCE!r}, only {', '.join(columns)}: --source-power must then be 1")
    known = (stream.features or {}).get(column)
    if not isinstance(known, datasets.Image):
        _check_pictures(stream.select_columns([column]), spec, column)
    stream = stream.select_columns([column, SOURCE] if with_source else [column])
    if limit:
        stream = stream.take(limit)
    return stream.cast_column(column, datasets.Image(decode=False))


def _check_pictures(stream: datasets.IterableDataset, spec: str, column: str) -> None:
    """Refuse a column that is not declared to hold pictures, and does not in its first rows."""
    for row in itertools.islice(stream, _CHECKED):
        cell = row[column]
        cell = {"bytes": cell, "path": None} if isinstance(cell, bytes) else cell
        cell = {"bytes": None, "path": cell} if isinstance(cell, str) else cell
        with contextlib.suppress(DecodeError, OSError, TypeError, KeyError):
            decode(encoded(cell))
            return
    raise ValueError(
        f"the column {column!r} of {spec} holds no pictures: none of its first {_CHECKED} rows decodes; choose another "
        "with --image-column"
    )


def is_local(spec: str) -> bool:
    """Whether a data set is files of this machine, and not the Hub's."""
    return any(character in spec for character in "*?[") or Path(spec).is_dir()


def source_shares(stream: datasets.IterableDataset, power: float) -> dict[str, float]:
    """The share of each source's pictures to use in an epoch, so that it is drawn by its number to a power.

    A source of n pictures then gives n^power in proportion to the others: all sources the same for 0, every picture
    once for 1. The smallest source is used whole.

    Args:
        stream: From `open_stream`, with its sources; it is read once.
        power: 0 to 1.

    Returns:
        For each source a number in (0, 1].
    """
    counts = Counter(row[SOURCE] for row in stream.select_columns([SOURCE]))
    smallest = min(counts.values(), default=1)
    return {source: (count / smallest) ** (power - 1) for source, count in counts.items()}


def count_pictures(spec: str, split: str, stream: datasets.IterableDataset) -> int | None:
    """How many rows a split has, if that can be known without reading it."""
    known = (stream.info.splits or {}).get(split)
    if known and known.num_examples:
        return known.num_examples
    files = sorted(map(Path, glob.glob(spec, recursive=True)))
    if len(files) == 1 and files[0].is_dir():
        files = sorted(files[0].glob(f"{split}-*.parquet")) or sorted(files[0].glob("*.parquet"))
    if not files or any(file.suffix != ".parquet" for file in files):
        return None
    return sum(ParquetFile(file).metadata.num_rows for file in files)


def _open_folder(folder: Path, split: str) -> datasets.IterableDataset:
    """A raw form of the earlier rounds, parquet files, or folders of pictures."""
    if any(map(is_raw, (folder, *split_folders(folder)))):
        items = scan(folder).items
        splits = named_splits(items) or {TRAIN: items}
        if not (items := splits.get(split, [])):
            there = [name for name, members in splits.items() if members]
            raise ValueError(f"this folder of pairs or Lab arrays has only {', '.join(there) or 'empty folders'}")
        count = min(_RAW_SHARDS, len(items))
        shards = [items[i * len(items) // count : (i + 1) * len(items) // count] for i in range(count)]
        features = datasets.Features({"image": datasets.Image()})
        return datasets.IterableDataset.from_generator(_raw_rows, features=features, gen_kwargs={"shards": shards})
    kinds = {"parquet": "*.parquet", "webdataset": "*.tar"}
    kind = next((kind for kind, pattern in kinds.items() if any(folder.glob(pattern))), "imagefolder")
    return datasets.load_dataset(kind, data_dir=str(folder), split=split, streaming=True)


def _raw_rows(shards: list[list[Item]]) -> Iterator[dict[str, Any]]:
    """Rows as image folders have them: files by their path alone, so that a shuffle buffer holds no photographs."""
    for item in itertools.chain(*shards):
        if isinstance(item.where, str):
            yield {"image": {"bytes": None, "path": item.where}}
            continue
        try:
            data = read(item)
        except DecodeError:
            data = b""  # does not decode later, where it is counted
        yield {"image": {"bytes": data, "path": item.name}}


def preview_colorfulness(picture: Image.Image) -> float:
    """How colorful a thumbnail of a picture is (Hasler and Suesstrunk): what tells gray from colored in any size."""
    return colorfulness(np.asarray(picture.resize((_PREVIEW, _PREVIEW), Image.Resampling.NEAREST)))


def pictures(stream: datasets.IterableDataset, column: str) -> Iterator[tuple[str, Image.Image | DecodeError]]:
    """Walk a stream once in order; yields (name, picture), or (name, error) where one does not decode."""
    for number, row in enumerate(stream):
        name = cell_name(row[column], number)
        try:
            yield name, decode(encoded(row[column])).picture
        except DecodeError as error:
            yield name, error


def encoded(cell: dict[str, Any]) -> bytes:
    """The encoded picture of a cell; image folders give only a path, here or on the Hub.

    Raises:
        DecodeError: If it is a file here that cannot be read.
        OSError: If it is elsewhere, and cannot be had.
    """
    if cell["bytes"] is not None:
        return cell["bytes"]
    try:
        with xopen(cell["path"], "rb") as file:
            return file.read()
    except OSError as error:
        if "://" in cell["path"]:
            raise
        raise DecodeError(f"it cannot be read: {error.strerror}") from error


def cell_name(cell: dict[str, Any], number: int) -> str:
    """What to call a cell's picture."""
    return Path(cell["path"] or f"{number:05d}").stem
