"""Rows that can only be read from the beginning, whose number shows at their end: on the Hub, what is not parquet.

Nothing tells where a row lies but its number, so each process reads all of them and decodes those of its own lanes.
"""

import copy
import functools
import itertools
import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple, Self

import datasets

from train.data.archives import stream_tar
from train.data.listing import is_picture
from train.data.rows import Row, cell_name, from_cell
from train.data.sampler import LaneState
from train.data.splits import HELD_OUT_AT_MOST, row_hash
from train.data.walk import is_hidden

_ROWS, _BYTES = 2048, 128 << 20  # that are shuffled at a time
_AT_A_TIME = 16  # rows read
_BLOCKS = 3  # in memory: a lane that meets more pictures that cannot be used is ahead of others


class StreamedRows:
    """Rows in their order.

    Attributes:
        name: What the data set is called in messages.
        limit: How many of them are used.
        keep: Which of them are used.
    """

    def __init__(self, name: str, stream: datasets.IterableDataset, column: str) -> None:
        """Take one column.

        Raises:
            ValueError: If there is no such column.
        """
        names = stream.column_names or list(next(iter(stream), {}))
        if column not in names:
            raise ValueError(f"{name} has no column {column!r}, only {', '.join(names)}: choose with --image-column")
        self.name, self.column = name, column
        self.stream = stream.select_columns([column])
        if isinstance((stream.features or {}).get(column), datasets.Image):
            self.stream = self.stream.cast_column(column, datasets.Image(decode=False))
        self.limit: int | None = None
        self.keep: Callable[[Row], bool] = _every

    @property
    def count(self) -> None:
        """How many rows are used: only reading them tells."""

    def fingerprint(self) -> str:
        """What tells this data set from others: nothing that is known before it is read."""
        return ""

    def __iter__(self) -> Iterator[Row]:
        """Walk the rows that are used, in order, once."""
        rows = (self.row(cells[self.column], number) for number, cells in enumerate(self.stream))
        return itertools.islice(filter(self.keep, rows), self.limit)

    def row(self, cell: Any, number: int) -> Row:
        """A cell as a row."""
        return Row(cell_name(cell, "", number), self.name, from_cell(cell, None), number)

    def first(self, limit: int) -> Self:
        """The first so many of the rows."""
        return self._with(limit=limit)

    def held_out(self, share: float) -> tuple[Self, Self]:
        """Rows to train on, and at most 1,000 that are held out; see `train.data.splits.held_out`."""
        inside = self._with(keep=functools.partial(_is_held_out, share, True), limit=HELD_OUT_AT_MOST)
        return self._with(keep=functools.partial(_is_held_out, share, False)), inside

    def _with(self, **changes: Any) -> Self:
        changed = copy.copy(self)
        changed.__dict__ |= changes
        return changed


def streamed_tars(name: str, urls: Sequence[str], column: str) -> StreamedRows:
    """The pictures in tars that are not here, whatever else is in them.

    Args:
        name: What the data set is called in messages.
        urls: Of the tars.
        column: "image" is every picture, "jpg" or "mask.png" those whose names end so.
    """
    features = datasets.Features({column: datasets.Image()})
    kwargs = {"urls": list(urls), "column": column}
    return StreamedRows(name, datasets.IterableDataset.from_generator(_tar_rows, features, kwargs), column)


class _Place(NamedTuple):
    """Where a block begins; JSON."""

    epoch: int
    row: int
    """Rows before it in the epoch, used or not."""
    used: int
    """Of these, how many are used."""
    draw: int
    """Draws before it in the whole run."""
    state: Any
    """Of the stream there, None at its beginning."""


class _Block(NamedTuple):
    rows: list[Row]
    """In the order in which they are drawn."""
    end: _Place


class StreamSampler:
    """The draws of all lanes: the rows of a block are shuffled, and dealt to the lanes one after the other."""

    def __init__(self, rows: StreamedRows, lanes: int, seed: int) -> None:
        self.rows, self.lanes, self.seed = rows, lanes, seed
        self.count: int | None = None  # of an epoch, once it is known
        self.blocks: dict[tuple[int, int], _Block] = {}
        self.at: tuple[int, int] | None = None
        self.stream, self.batches = rows.stream, iter(())

    def lane(self, lane: int, turn: int, state: Mapping[str, Any] | None) -> "StreamLane":
        """One lane, from where its state says."""
        return StreamLane(self, lane, state)

    def block(self, place: _Place) -> _Block:
        """The rows from a place on; lanes share them, so the stream is read once."""
        key = place.epoch, place.row
        if key not in self.blocks:
            if self.at != key or not place.row:
                self.stream = copy.deepcopy(self.rows.stream)  # it keeps its position inside
                if place.state:
                    self.stream.load_state_dict(place.state)
                self.batches = self.stream.iter(_AT_A_TIME)  # not row by row: that deals them to a loader's workers
            self.blocks[key] = block = self._next_block(place)
            self.at = block.end.epoch, block.end.row
            while len(self.blocks) > _BLOCKS:
                del self.blocks[next(iter(self.blocks))]
        return self.blocks[key]

    def _next_block(self, place: _Place) -> _Block:
        """Read on."""
        rows: list[Row] = []
        size, number, limit = 0, place.row, self.rows.limit or math.inf
        while len(rows) < _ROWS and size < _BYTES and place.used + len(rows) < limit:
            if not (batch := next(self.batches, None)):
                limit = 0
                break
            for cell in batch[self.rows.column]:
                row = self.rows.row(cell, number)
                number += 1
                if self.rows.keep(row) and place.used + len(rows) < limit:
                    rows.append(row)
                    size += len(row.data) if isinstance(row.data, bytes) else 0
        used, draw = place.used + len(rows), place.draw + len(rows)
        random.Random(f"{self.seed}/{place.epoch}/{place.row}").shuffle(rows)
        if used < limit:
            return _Block(rows, _Place(place.epoch, number, used, draw, self.stream.state_dict()))
        self.count = used
        if not used:
            raise ValueError(f"{self.rows.name} holds no pictures")
        return _Block(rows, _Place(place.epoch + 1, 0, 0, draw, None))


class StreamLane:
    """One lane of a `StreamSampler`. In place of a picture that cannot be used it takes its next one."""

    def __init__(self, sampler: StreamSampler, lane: int, state: Mapping[str, Any] | None) -> None:
        self.sampler, self.lane = sampler, lane
        self.place = _Place(*state["place"]) if state else _Place(0, 0, 0, 0, None)
        self.next = state["next"] if state else 0

    @property
    def patience(self) -> float:
        """Rows in a row that cannot be used after which it is time to give up."""
        return math.inf if self.sampler.count is None else 3 * self.sampler.count

    def row(self) -> Row:
        """The next row of this lane."""
        while True:
            rows, end = self.sampler.block(self.place)
            while self.next < len(rows):
                self.next += 1
                if (self.place.draw + self.next - 1) % self.sampler.lanes == self.lane:
                    return rows[self.next - 1]
            self.place, self.next = end, 0

    spare = row

    def state(self) -> LaneState:
        """Where it resumes."""
        return {"place": list(self.place), "next": self.next}


def _every(row: Row) -> bool:
    return True


def _is_held_out(share: float, wanted: bool, row: Row) -> bool:
    return (row_hash(row.name) < share) == wanted


def _tar_rows(urls: list[str], column: str) -> Iterator[dict[str, Any]]:
    """The pictures of tars as rows."""
    for url in urls:
        for name, data in stream_tar(url):
            path = PurePosixPath(name)
            wanted = column == "image" or path.name.lower().endswith(f".{column}")
            if wanted and is_picture(path, data) and not any(map(is_hidden, path.parts)):
                yield {column: {"bytes": data, "path": f"{PurePosixPath(url).stem}/{name}"}}
