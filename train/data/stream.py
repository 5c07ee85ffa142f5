"""An endless stream of training crops: shuffled, resumable to the sample, the same however many processes share it.

Sample g of the run comes from lane g modulo the number of lanes, and process r of W has every W-th lane, so W processes
with a W-th of the batch each see what one would see. Which row a lane draws is for `train.data.sampler`; what happens
to it follows from the lane and its turn alone. So there is no random state to save, only the little that a lane counts.
"""

import functools
import itertools
import multiprocessing
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from multiprocessing.synchronize import Event
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, get_worker_info
from torch.utils.data import IterableDataset as TorchIterableDataset

from colorization import hub
from colorization.decode import DecodeError
from train.data.color import GRAY, TONED, lacks_color
from train.data.dataset import AnyRows
from train.data.rows import Row, UnavailableError
from train.data.sampler import LaneState, Sampler
from train.data.streamed import StreamedRows, StreamSampler
from train.parent import when_parent_ends

_AT_ONCE = 8  # samples that travel together from a worker; one by one, the trip would cost more than the crop
_PATIENCE = 2.0  # seconds for a worker to end
_ZOOM = 1.2  # a crop covers at least 1 / 1.2 of the short side


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
    toned: int
    """Pictures skipped because they are black and white, toned in one color."""
    broken: tuple[str, ...]
    """Names of the pictures skipped because they do not decode, with the reason."""


class Crops(NamedTuple):
    """A batch."""

    pixels: Tensor
    """sRGB, (B, 3, size, size), uint8."""
    mix: Tensor
    """(B,), in [0, 1)."""
    lane_states: dict[int, LaneState]
    """Where each lane of this batch resumes after it."""
    gray: int
    toned: int
    broken: tuple[str, ...]


class CropStream(TorchIterableDataset):
    """Endless random crops, flipped at random, of the colorful pictures of a data set.

    What comes depends on nothing but the data set, the seed and the number of lanes.

    Attributes:
        mine: The lanes of this process.
    """

    def __init__(
        self,
        rows: AnyRows,
        size: int,
        seed: int,
        min_colorfulness: float,
        *,
        lanes: int = 8,
        rank: int = 0,
        world: int = 1,
        start: int = 0,
        lane_states: Mapping[int, LaneState] | None = None,
        source_power: float = 1.0,
    ) -> None:
        """Take a share of the lanes.

        Args:
            rows: Of the data set.
            size: Side of the crops in pixels.
            seed: Seed of the order and of the crops.
            min_colorfulness: Less colorful pictures are skipped and counted.
            lanes: How many lanes there are.
            rank: Which of the processes this is.
            world: How many processes share the lanes.
            start: Samples that this process has had before.
            lane_states: Where each lane resumes; others begin.
            source_power: How often small sources are drawn, see `Sampler`.

        Raises:
            ValueError: If the processes cannot share the lanes evenly, there is no row, or a source power needs sources
                that are not there.
        """
        super().__init__()
        if lanes % world:
            raise ValueError(f"{world} processes cannot share {lanes} lanes evenly: give --lanes a multiple of {world}")
        if not isinstance(rows, StreamedRows):
            self.sampler: Sampler | StreamSampler = Sampler(rows, lanes, seed, source_power)
        elif source_power == 1:
            self.sampler = StreamSampler(rows, lanes, seed)
        else:
            raise ValueError(f"{rows.name} does not say where its pictures come from: --source-power must then be 1")
        self.size, self.seed, self.min_colorfulness = size, seed, min_colorfulness
        self.mine, self.start, self.lane_states = range(rank, lanes, world), start, dict(lane_states or {})
        self.colorful: set[int] = set()  # rows known to have color: looking takes a third of the time of a sample

    def __iter__(self) -> Iterator[list[list[Sample]] | Exception]:
        """Rounds, in each of which every lane gives a sample; a loader's worker has some of the lanes for its own."""
        worker = get_worker_info()
        mine = self.mine[worker.id :: worker.num_workers] if worker else self.mine
        ahead = self.mine[: self.start % len(self.mine)]  # these have had their turn in the round that was left
        turns = {lane: self.start // len(self.mine) + (lane in ahead) for lane in mine}
        lanes = {lane: self._samples(lane, turn) for lane, turn in turns.items()}
        rounds = -(-_AT_ONCE // len(mine))
        try:
            for number in itertools.count(step=rounds):
                yield [
                    [next(lanes[lane]) for lane in mine if turn or lane not in ahead]
                    for turn in range(number, number + rounds)
                ]
        except Exception as error:  # out of a worker it would come as a page of traceback, or not at all
            yield _portable(error)

    def _samples(self, number: int, turn: int) -> Iterator[Sample]:
        """One lane without end, from a turn of its own on."""
        lane = self.sampler.lane(number, turn, self.lane_states.get(number))
        for at in itertools.count(turn):
            skipped, broken = Counter[str](), list[str]()
            row = lane.row()
            while (picture := self._usable(row, skipped, broken)) is None:
                if skipped.total() + len(broken) > lane.patience:
                    raise ValueError(
                        f"no picture is usable: of the last {skipped.total() + len(broken)}, {skipped[GRAY]} are gray, "
                        f"{skipped[TONED]} toned, and {len(broken)} do not decode"
                        + "".join(f", such as {name}" for name in broken[:1])
                        + ": check the data"
                    )
                row = lane.spare()
            rng = random.Random(f"{self.seed}/{number}/{at}")
            crop = np.array(random_crop(picture, self.size, rng))
            yield Sample(crop, rng.random(), number, lane.state(), skipped[GRAY], skipped[TONED], tuple(broken))

    def _usable(self, row: Row, skipped: Counter[str], broken: list[str]) -> Image.Image | None:
        """A row's picture; None if there is nothing to learn from it, which is counted."""
        try:
            picture = row.picture(at_least=round(self.size * _ZOOM))
        except DecodeError as error:
            broken.append(f"{row.name}: {error}")
            return None
        if row.number not in self.colorful:
            if why := lacks_color(picture, self.min_colorfulness):
                skipped[why] += 1
                return None
            self.colorful.add(row.number)
        return picture


def batches(crops: CropStream, batch_size: int, workers: int) -> Iterator[Crops]:
    """Batch a stream, decoding in worker processes; the batches are the same whatever their number.

    Args:
        crops: The stream; endless.
        batch_size: Samples per batch.
        workers: Processes at most, 0 decodes in this one. A number that divides this process's lanes is taken.

    Raises:
        ValueError: If no picture is usable, or a file of the data set is damaged.
        UnavailableError: If the data set cannot be read on for now, as after the network was gone for long.
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
        worker_init_fn=functools.partial(_begin_worker, os.getpid(), end := multiprocessing.Event()),
        timeout=1 if workers else 0,
    )
    others = {*multiprocessing.active_children()}
    parts_of_workers = _started(loader)
    own = {*multiprocessing.active_children()} - others
    parts: list[Any] = []
    samples: list[Sample] = []
    try:
        while True:
            try:
                parts.append(next(parts_of_workers))
            except RuntimeError as error:
                if "timed out" not in str(error):
                    lost = "a process that decodes was killed, perhaps for lack of memory (--dataloader-num-workers)"
                    raise UnavailableError(lost) from error
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
    finally:
        if own:
            end.set()
        for worker in own:
            worker.join(_PATIENCE)
            if worker.is_alive():
                worker.kill()


def _portable(error: Exception) -> Exception:
    """An error that can be sent to another process, where many of those of the Hub's client cannot be made again."""
    if isinstance(error, UnavailableError | ValueError):
        return (UnavailableError if isinstance(error, UnavailableError) else ValueError)(str(error))
    if isinstance(error, hub.ERRORS):
        return UnavailableError(hub.explain(error))
    return ValueError(f"reading the data set failed: {type(error).__name__}: {error}")


def _collate(samples: list[Sample]) -> Crops:
    """Put samples into a batch."""
    pixels = torch.from_numpy(np.stack([s.pixels for s in samples])).permute(0, 3, 1, 2)
    mix = torch.tensor([s.mix for s in samples])
    lane_states = {s.lane: s.lane_state for s in samples}
    gray, toned = (sum(counts) for counts in zip(*((s.gray, s.toned) for s in samples), strict=True))
    broken = tuple(name for s in samples for name in s.broken)
    return Crops(pixels, mix, lane_states, gray, toned, broken)


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


def _as_is(samples: Any) -> Any:
    """Samples travel as they are: arrays through a pipe, where tensors would each hold a file open."""
    return samples


def _begin_worker(parent: int, end: Event, _: int) -> None:
    """One thread, so that the training process keeps the cores; and an end with that process, however it ends.

    Also while it waits for a network: it is deaf to signals, and to DataLoader's way of ending it, which waits for the
    next sample.
    """
    when_parent_ends(parent, lambda: os._exit(1))
    threading.Thread(target=lambda: end.wait() and os._exit(0), daemon=True, name="end").start()
    torch.set_num_threads(1)
