"""Batches of crops: decoded in worker processes that end with the training, the same whatever their number."""

import functools
import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from multiprocessing.synchronize import Semaphore
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from train.data.rows import UnavailableError
from train.data.sampler import LaneState
from train.data.stream import AT_ONCE, CropStream, Sample
from train.parent import when_parent_ends

WORKER_LOST = "a process that decodes was killed, perhaps for lack of memory (--dataloader-num-workers)"
_PATIENCE = 2.0  # seconds for a worker to end


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
        prefetch_factor=max(2, 2 * batch_size // (AT_ONCE * workers)) if workers else None,
        worker_init_fn=functools.partial(_begin_worker, os.getpid(), end := multiprocessing.Semaphore(0)),
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
                    raise UnavailableError(WORKER_LOST) from error
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
        for _ in own:
            end.release()  # not an Event: its `set` waits for ever for a waiting process that was killed
        for worker in own:
            worker.join(_PATIENCE)
            if worker.is_alive():
                worker.kill()


def is_lost_worker(error: RuntimeError) -> bool:
    """Whether an error says that a worker was killed; DataLoader raises it in whatever the main thread is doing."""
    return "DataLoader worker" in str(error)


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


def _as_is(samples: Any) -> Any:
    """Samples travel as they are: arrays through a pipe, where tensors would each hold a file open."""
    return samples


def _begin_worker(parent: int, end: Semaphore, _: int) -> None:
    """One thread, so that the training process keeps the cores; and an end with that process, however it ends.

    Also while it waits for a network: it is deaf to signals, and to DataLoader's way of ending it, which waits for the
    next sample.
    """
    when_parent_ends(parent, lambda: os._exit(1))
    threading.Thread(target=lambda: end.acquire() and os._exit(0), daemon=True, name="end").start()
    torch.set_num_threads(1)
