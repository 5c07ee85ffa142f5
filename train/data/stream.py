"""An endless stream of training crops: shuffled, resumable to the sample, the same however many processes share it.

Sample g of the run comes from lane g modulo the number of lanes, and process r of W has every W-th lane, so W processes
with a W-th of the batch each see what one would see. Which row a lane draws is for `train.data.sampler`; what happens
to it follows from the lane and its turn alone. So there is no random state to save, only the little that a lane counts.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch.utils.data import IterableDataset as TorchIterableDataset
from torch.utils.data import get_worker_info

from colorization import hub
from colorization.decode import DecodeError
from train.data.color import GRAY, TONED, lacks_color
from train.data.dataset import AnyRows
from train.data.rows import Row, UnavailableError
from train.data.sampler import LaneState, Sampler
from train.data.streamed import StreamedRows, StreamSampler

AT_ONCE = 8  # samples that travel together from a worker; one by one, the trip would cost more than the crop
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
        rounds = -(-AT_ONCE // len(mine))
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


def random_crop(picture: Image.Image, size: int, rng: random.Random) -> Image.Image:
    """Cut a random square of at least 1 / 1.2 of the short side, resize it, flip it half the time."""
    side = min(picture.size) / rng.uniform(1.0, _ZOOM)
    left, top = rng.uniform(0, picture.width - side), rng.uniform(0, picture.height - side)
    crop = picture.resize(
        (size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side), reducing_gap=2
    )
    return crop.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else crop


def _portable(error: Exception) -> Exception:
    """An error that can be sent to another process, where many of those of the Hub's client cannot be made again."""
    if isinstance(error, UnavailableError | ValueError):
        return (UnavailableError if isinstance(error, UnavailableError) else ValueError)(str(error))
    if isinstance(error, hub.ERRORS):
        return UnavailableError(hub.explain(error))
    return ValueError(f"reading the data set failed: {type(error).__name__}: {error}")
