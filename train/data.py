"""A stream of training crops out of any data set that `datasets` reads; the only user of `datasets`."""

import glob
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

_SHUFFLE_BUFFER = 2048  # encoded pictures, about 40 MB
_ZOOM = 1.2  # a crop covers at least 1 / 1.2 of the short side
_PREVIEW = 64  # colourfulness is measured on a thumbnail of this size


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
        spec: A folder of images, a folder of parquet files, a parquet glob, or a Hub data set id.
        split: Name of the split; a folder of images without split folders is all "train", a glob is any split.
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
            kind = "parquet" if any(path.glob("*.parquet")) else "imagefolder"
            stream = datasets.load_dataset(kind, data_dir=spec, split=split, streaming=True)
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
                if self._is_gray(picture):
                    gray += 1
                    continue
                yield Crops(random_crop(picture, self.size, rng), gray, broken)
                used, gray, broken = used + 1, 0, 0
            if not used:  # this worker has no shard, or nothing in it is of use; another may have
                return
            epoch += 1

    def _is_gray(self, picture: Image.Image) -> bool:
        return (
            colorfulness(np.asarray(picture.resize((_PREVIEW, _PREVIEW), Image.Resampling.BOX))) < self.min_colorfulness
        )


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
