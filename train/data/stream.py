"""An endless stream of training crops: shuffled, resumable to the sample, the same however many processes share it.

The data set is dealt into a fixed number of lanes, and sample g of the run comes from lane g modulo that number.
Process r of W takes every W-th lane, so W processes with a W-th of the batch each see what one would see. What happens
to a sample is drawn from its position in its lane alone, so there is no random state to
save, only the states of the lanes.
"""

import copy
import functools
import itertools
import os
import random
import signal
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import datasets
import numpy as np
import torch
from datasets.distributed import split_dataset_by_node
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info
from torch.utils.data import IterableDataset as TorchIterableDataset

from colorization.decode import DecodeError, decode
from train.data.dataset import SOURCE, cell_name, encoded, preview_colorfulness
from train.parent import when_parent_ends

_BLOCK = 256  # rows of a lane that are shuffled at a time, after its shards; encoded pictures, some 5 MB
_AT_ONCE = 8  # samples that travel together from a worker; one by one, the trip would cost more than the crop
_ZOOM = 1.2  # a crop covers at least 1 / 1.2 of the short side

LaneState = dict[str, Any]
"""Where a lane resumes, as JSON: epoch, of its share or of the whole data set, rows before the block, the data set's
own state there, next row in the block."""


class Sample(NamedTuple):
    """A crop, and what its lane skipped to find it."""

    pixels: np.ndarray
    """sRGB, (size, size, 3), uint8."""
    mix: float
    """A random number in [0, 1), for what a recipe draws at random (the gradient penalty)."""
    lane: int
    lane_state: LaneState
    """Where its lane resumes after it."""
    gray: int
    """Pictures skipped because they are gray or nearly so."""
    broken: tuple[str, ...]
    """Names of the files skipped because they do not decode."""


class Crops(NamedTuple):
    """A batch."""

    pixels: Tensor
    """sRGB, (B, 3, size, size), uint8."""
    mix: Tensor
    """(B,), in [0, 1)."""
    lane_states: dict[int, LaneState]
    """Where each lane of this batch resumes after it."""
    gray: int
    broken: tuple[str, ...]


class CropStream(TorchIterableDataset):
    """Endless random crops, flipped at random, of the colorful pictures of a data set.

    What comes depends on nothing but the data set, the seed and the number of lanes. Where the data set cannot be read
    on, the exception comes.
    """

    def __init__(
        self,
        stream: datasets.IterableDataset,
        column: str,
        size: int,
        seed: int,
        min_colorfulness: float,
        *,
        lanes: int = 8,
        rank: int = 0,
        world: int = 1,
        start: int = 0,
        lane_states: Mapping[int, LaneState] | None = None,
        shares: Mapping[str, float] | None = None,
    ) -> None:
        """Take a share of the lanes.

        Args:
            stream: From `train.data.dataset.open_stream`.
            column: Column that holds the pictures.
            size: Side of the crops in pixels.
            seed: Seed of the order and of the crops.
            min_colorfulness: Less colorful pictures are skipped and counted.
            lanes: How many lanes there are.
            rank: Which of the processes this is.
            world: How many processes share the lanes.
            start: Samples that this process has had before.
            lane_states: Where each lane resumes; others begin.
            shares: For each source the share of its pictures to use in an epoch, see `source_shares`; None uses all.

        Raises:
            ValueError: If the processes cannot share the lanes evenly.
        """
        super().__init__()
        if lanes % world:
            raise ValueError(f"{world} processes cannot share {lanes} lanes evenly: give --lanes a multiple of {world}")
        if (stream.num_shards or 0) < lanes:
            stream = stream.reshard()  # parquet by row groups; others stay as they are
        self.stream, self.column, self.size, self.seed = stream, column, size, seed
        self.min_colorfulness, self.lanes, self.start = min_colorfulness, lanes, start
        self.mine, self.lane_states = range(rank, lanes, world), dict(lane_states or {})
        self.shares = shares

    def __iter__(self) -> Iterator[list[list[Sample]] | Exception]:
        """Rounds, in each of which every lane gives a sample; a loader's worker has some of the lanes for its own."""
        worker = get_worker_info()
        mine = self.mine[worker.id :: worker.num_workers] if worker else self.mine
        lanes = {lane: self._samples(lane) for lane in mine}
        ahead = self.mine[: self.start % len(self.mine)]  # these have had their turn in the round that was left
        rounds = -(-_AT_ONCE // len(mine))
        try:
            for number in itertools.count(step=rounds):
                yield [
                    [next(lanes[lane]) for lane in mine if turn or lane not in ahead]
                    for turn in range(number, number + rounds)
                ]
        except Exception as error:  # out of a worker it would come as a page of traceback
            yield error

    def _samples(self, lane: int) -> Iterator[Sample]:
        """One lane without end."""
        lane_state = self.lane_states.get(lane) or _beginning(epoch=0)
        gray, broken = 0, []
        while True:
            epoch, whole = lane_state["epoch"], lane_state["whole"]
            usable = lane_state["before"] + lane_state["next"] > 0  # in the middle of an epoch: it was worth resuming
            for row, cell, source, lane_state in self._rows(lane, lane_state):  # noqa: B020
                rng = random.Random(f"{self.seed}/{lane}/{epoch}/{row}")
                if self.shares and rng.random() >= self.shares[source]:
                    continue
                try:
                    picture = decode(encoded(cell), at_least=round(self.size * _ZOOM)).picture
                except DecodeError:
                    broken.append(cell_name(cell, row))
                    continue
                if preview_colorfulness(picture) < self.min_colorfulness:
                    gray += 1
                    continue
                crop = random_crop(picture, self.size, rng)
                yield Sample(np.array(crop), rng.random(), lane, lane_state, gray, tuple(broken))
                usable, gray, broken = True, 0, []
            if not usable and whole:
                raise ValueError(f"no picture is usable ({gray} are gray, {len(broken)} do not decode): check the data")
            lane_state = _beginning(epoch + 1, whole or not usable)  # a handful of pictures does not go round all lanes

    def _rows(self, lane: int, lane_state: LaneState) -> Iterator[tuple[int, dict[str, Any], str, LaneState]]:
        """The rest of an epoch of a lane: number of the row, encoded picture, source, state of the lane after it."""
        epoch, before, state, index = (lane_state[key] for key in ("epoch", "before", "state", "next"))
        if lane_state["whole"]:
            stream = copy.deepcopy(self.stream)  # it keeps its position inside
        elif (self.stream.num_shards or 0) >= self.lanes:
            stream = self.stream.shard(num_shards=self.lanes, index=lane, contiguous=False)
            stream.set_epoch(1 + 1_000_003 * self.seed + epoch)  # another order of its shards
        else:
            # Reads all, takes its share of the rows.
            stream = split_dataset_by_node(copy.deepcopy(self.stream), lane, self.lanes)
        if state:
            stream.load_state_dict(state)
        # By blocks, because `datasets` deals single rows out once more among a loader's workers.
        for block in stream.iter(_BLOCK):
            cells = block[self.column]
            sources = block.get(SOURCE) or [""] * len(cells)
            order = random.Random(f"{self.seed}/{lane}/{epoch}/{before}").sample(range(len(cells)), len(cells))
            for done in range(index, len(cells)):
                after = lane_state | {"before": before, "state": state, "next": done + 1}
                yield before + order[done], cells[order[done]], sources[order[done]], after
            before, state, index = before + len(cells), stream.state_dict(), 0


def batches(crops: CropStream, batch_size: int, workers: int) -> Iterator[Crops]:
    """Batch a stream, decoding in worker processes; the batches are the same whatever their number.

    Args:
        crops: The stream; endless.
        batch_size: Samples per batch.
        workers: Processes at most, 0 decodes in this one. A number that divides this process's lanes is taken.

    Raises:
        ValueError: If no picture is usable.
        Exception: Whatever reading the data set raised, as an OSError after the network was gone for long.
    """
    return (batch for batch in batches_and_pauses(crops, batch_size, workers) if batch)


def batches_and_pauses(crops: CropStream, batch_size: int, workers: int) -> Iterator[Crops | None]:
    """As `batches`, and None for each second in which the workers have given nothing."""
    workers = max(w for w in range(workers + 1) if not w or len(crops.mine) % w == 0)
    loader = DataLoader(
        crops,
        batch_size=None,
        num_workers=workers,
        collate_fn=_as_is,
        prefetch_factor=max(2, 2 * batch_size // (_AT_ONCE * workers)) if workers else None,
        worker_init_fn=functools.partial(_begin_worker, os.getpid()),
        timeout=1 if workers else 0,
    )
    parts_of_workers = _started(loader)
    parts: list[Any] = []
    samples: list[Sample] = []
    while True:
        try:
            parts.append(next(parts_of_workers))
        except RuntimeError as error:
            if "timed out" not in str(error):
                raise
            yield None
            continue
        if isinstance(parts[-1], Exception):
            raise parts[-1]
        if len(parts) < workers:  # one from each, again and again
            continue
        for turns in zip(*parts, strict=True):
            samples += sorted(itertools.chain(*turns), key=lambda sample: sample.lane)
        parts = []
        while len(samples) >= batch_size:
            yield _collate(samples[:batch_size])
            samples = samples[batch_size:]


def _collate(samples: list[Sample]) -> Crops:
    """Put samples into a batch."""
    pixels = torch.from_numpy(np.stack([s.pixels for s in samples])).permute(0, 3, 1, 2)
    mix = torch.tensor([s.mix for s in samples])
    lane_states = {s.lane: s.lane_state for s in samples}
    broken = tuple(name for s in samples for name in s.broken)
    return Crops(pixels, mix, lane_states, sum(s.gray for s in samples), broken)


def _started(loader: DataLoader[Any]) -> Iterator[Any]:
    """Start the workers deaf to what tells a run to stop: the step that is being done may still need them."""
    told = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, told)
    try:
        return iter(loader)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def random_crop(picture: Image.Image, size: int, rng: random.Random) -> Image.Image:
    """Cut a random square of at least 1 / 1.2 of the short side, resize it, flip it half the time."""
    side = min(picture.size) / rng.uniform(1.0, _ZOOM)
    left, top = rng.uniform(0, picture.width - side), rng.uniform(0, picture.height - side)
    crop = picture.resize(
        (size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side), reducing_gap=2
    )
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop


def _beginning(epoch: int, whole: bool = False) -> LaneState:
    """The state before the first row of an epoch; of the lane's own share, or of the whole data set."""
    return {"epoch": epoch, "whole": whole, "before": 0, "state": None, "next": 0}


def _as_is(samples: Any) -> Any:
    """Samples travel as they are: arrays through a pipe, where tensors would each hold a file open."""
    return samples


def _begin_worker(parent: int, _: int) -> None:
    """One thread, so that the training process keeps the cores; and an end with that process, however it ends."""
    when_parent_ends(parent, lambda: os._exit(1))
    torch.set_num_threads(1)
