"""A stream of training crops out of any data set that `datasets` reads; the only user of `datasets`."""

import glob
import itertools
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import numpy as np
import torch
from datasets.distributed import split_dataset_by_node
from datasets.utils.file_utils import xopen
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info
from torch.utils.data import IterableDataset as TorchIterableDataset

from colorization.decode import DecodeError, decode
from colorization.metrics import colorfulness
from train.raw import Item, is_raw, read, scan
from train.splits import TRAIN, named_splits, split_folders

PREPARED = datasets.Features({"image": datasets.Image(), "source": datasets.Value("string")})
"""The columns of what `train.prepare` writes."""

_SHUFFLE_BUFFER = 2048  # encoded pictures, about 40 MB
_ZOOM = 1.2  # a crop covers at least 1 / 1.2 of the short side
_PREVIEW = 64  # colourfulness is measured on a thumbnail of this size
_RAW_SHARDS = 64  # for processes and workers to share


class Crops(NamedTuple):
    """A batch of crops, and what the stream passed over to find them."""

    pixels: Tensor
    """sRGB, (B, 3, size, size), uint8."""
    gray: int
    """Pictures left out because they are gray or nearly so."""
    broken: int
    """Files left out because they do not decode."""


def open_stream(spec: str, split: str, column: str = "image") -> datasets.IterableDataset:
    """Open a data set for streaming, with its pictures still encoded.

    Args:
        spec: A folder of images, a folder of parquet files, a parquet glob, a Hub data set id, or a raw form of the
            earlier rounds: pairs (`color/` and `gray/`) or Lab arrays (`l/` and `ab/`), see `train.raw`.
        split: Name of the split; a folder of images or of a raw form without split folders is all "train", a glob is
            any split.
        column: Column that holds the pictures.

    Returns:
        A stream of rows whose `column` is `{"bytes": ..., "path": ...}`.

    Raises:
        ValueError: If there is no such data set, split or column; the message says what there is.
    """
    path = Path(spec)
    try:
        if any(c in spec for c in "*?["):
            if not glob.glob(spec, recursive=True):
                raise ValueError(f"no file matches --dataset {spec}")
            stream = datasets.load_dataset("parquet", data_files={split: spec}, split=split, streaming=True)
        elif path.is_dir():
            stream = _open_folder(path, split)
        else:
            stream = datasets.load_dataset(spec, split=split, streaming=True)
    except ValueError as error:
        raise ValueError(f"cannot open the split {split!r} of {spec}: {error}") from error
    except (OSError, datasets.exceptions.DatasetNotFoundError) as error:
        found = "in this folder" if path.is_dir() else "it is no folder here, and the Hub says"
        raise ValueError(f"cannot open {spec}: {found}: {error}") from error
    columns = stream.column_names or list(next(iter(stream)))
    if column not in columns:
        raise ValueError(f"{spec} has no column {column!r}, only {', '.join(columns)}: choose with --image-column")
    return stream.select_columns([column]).cast_column(column, datasets.Image(decode=False))


def _open_folder(folder: Path, split: str) -> datasets.IterableDataset:
    """A raw form of the earlier rounds, parquet files, or folders of pictures."""
    if any(map(is_raw, (folder, *split_folders(folder)))):
        items = scan(folder).items
        splits = named_splits(items) or {TRAIN: items}
        if not (items := splits.get(split, [])):
            there = [name for name, of in splits.items() if of]
            raise ValueError(f"this folder of pairs or Lab arrays has only {', '.join(there) or 'empty folders'}")
        count = min(_RAW_SHARDS, len(items))
        shards = [items[i * len(items) // count : (i + 1) * len(items) // count] for i in range(count)]
        features = datasets.Features({"image": datasets.Image()})
        return datasets.IterableDataset.from_generator(_raw_rows, features=features, gen_kwargs={"shards": shards})
    kind = "parquet" if any(folder.glob("*.parquet")) else "imagefolder"
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


class CropStream(TorchIterableDataset):
    """Endless random crops, flipped at random, of the colourful pictures of a stream.

    Yields `Crops` of a single picture each, for `DataLoader` to collate. Every process and worker reads its own shards.
    """

    def __init__(
        self,
        stream: datasets.IterableDataset,
        column: str,
        size: int,
        seed: int,
        min_colorfulness: float,
        rank: int = 0,
    ) -> None:
        super().__init__()
        self.stream, self.column, self.size, self.seed = stream, column, size, seed
        self.min_colorfulness, self.rank = min_colorfulness, rank

    def __iter__(self) -> Iterator[Crops]:
        worker = get_worker_info()
        rng = random.Random(f"{self.seed}/{self.rank}/{worker.id if worker else 0}")
        stream = self.stream.shuffle(seed=self.seed, buffer_size=_SHUFFLE_BUFFER)
        gray = broken = epoch = 0
        while True:
            stream.set_epoch(epoch)
            used = 0
            for row in stream:
                try:
                    picture = decode(_bytes(row[self.column])).picture
                except DecodeError:
                    broken += 1
                    continue
                if preview_colorfulness(picture) < self.min_colorfulness:
                    gray += 1
                    continue
                yield Crops(random_crop(picture, self.size, rng), gray, broken)
                used, gray, broken = used + 1, 0, 0
            if not used:  # this worker has no shard, or nothing in it is of use; another may have
                return
            epoch += 1


def preview_colorfulness(picture: Image.Image) -> float:
    """How colourful a thumbnail of a picture is (Hasler and Suesstrunk): what tells gray from coloured in any size."""
    return colorfulness(np.asarray(picture.resize((_PREVIEW, _PREVIEW), Image.Resampling.BOX)))


def random_crop(picture: Image.Image, size: int, rng: random.Random) -> Tensor:
    """Cut a random square of at least 1 / 1.2 of the short side, resize it, flip it half the time.

    Returns:
        sRGB, (3, size, size), uint8.
    """
    side = min(picture.size) / rng.uniform(1.0, _ZOOM)
    left, top = rng.uniform(0, picture.width - side), rng.uniform(0, picture.height - side)
    crop = picture.resize(
        (size, size), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side), reducing_gap=2
    )
    if rng.random() < 0.5:
        crop = crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    return torch.from_numpy(np.array(crop)).permute(2, 0, 1)


def crop_loader(crops: CropStream, batch_size: int, workers: int, rank: int, world: int) -> DataLoader[Any]:
    """Batch a stream, decoding in worker processes; each of `world` processes gets its own shards."""
    crops.stream, crops.rank = split_dataset_by_node(crops.stream, rank, world), rank
    return DataLoader(
        crops,
        batch_size=batch_size,
        num_workers=workers,
        collate_fn=_collate,
        drop_last=True,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_quiet_worker,
    )


def pictures(stream: datasets.IterableDataset, column: str) -> Iterator[tuple[str, Image.Image | DecodeError]]:
    """Walk a stream once in order; yields (name, picture), or (name, error) where one does not decode."""
    for number, row in enumerate(stream):
        name = Path(row[column]["path"] or f"{number:05d}").stem
        try:
            yield name, decode(_bytes(row[column])).picture
        except DecodeError as error:
            yield name, error


def _bytes(cell: dict[str, Any]) -> bytes:
    """The encoded picture; image folders give only a path, here or on the Hub."""
    if cell["bytes"] is not None:
        return cell["bytes"]
    with xopen(cell["path"], "rb") as file:
        return file.read()


def _collate(crops: list[Crops]) -> Crops:
    return Crops(torch.stack([c.pixels for c in crops]), sum(c.gray for c in crops), sum(c.broken for c in crops))


def _quiet_worker(_: int) -> None:
    """One thread per decoding worker, so that the training process keeps the cores."""
    torch.set_num_threads(1)
