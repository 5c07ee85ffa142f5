"""Sampler: which row of a data set each lane draws, and when, so that every row is drawn equally often.

Draw g of a run belongs to lane g modulo the number of lanes and, in a data set of n rows, to epoch g // n. In an epoch
the pieces of the data set (row groups of parquet, single files) come in random order, and each lane has a stretch of
them that is as long as its number of draws in the epoch. So no lane is ahead of another, whatever the sizes of shards
and pieces, and where a lane is follows from a count. Only pictures that cannot be used make a difference: in place of
one its lane takes a spare row, and the spare rows of all lanes go round the data set too.
"""

import itertools
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from train.data.rows import Cursor, Numbers, Row, Rows

_ORDERS = 4  # in memory: lanes are in the same epoch or in two, by draws and by spare rows

LaneState = dict[str, Any]
"""Where a lane resumes, as JSON."""


class Sampler:
    """The draws of all lanes.

    Attributes:
        count: Rows drawn in an epoch.
    """

    def __init__(self, rows: Rows, lanes: int, seed: int, power: float = 1.0) -> None:
        """Prepare the order.

        Args:
            rows: What is drawn from.
            lanes: How many lanes there are.
            seed: Seed of the order.
            power: A source of n rows is drawn in proportion to n to this power, 0 to 1; the smallest source is used
                whole in every epoch, others in part, each of their rows equally often. 1 draws every row once.

        Raises:
            ValueError: If there is no row, or sources are asked for and the data set has none.
        """
        if not rows.count:
            raise ValueError(f"{rows.name} holds no pictures")
        self.rows, self.lanes, self.seed = rows, lanes, seed
        self.by_source: list[Numbers] | None = None
        self.count = rows.count
        if power < 1:
            self.by_source = _by_source(rows, np.random.default_rng([seed, 0]))
            smallest = min(map(len, self.by_source))
            self.used = [max(1, round(len(own) * (len(own) / smallest) ** (power - 1))) for own in self.by_source]
            self.count = sum(self.used)
        self.orders: dict[int, Numbers] = {}

    def lane(self, lane: int, turn: int, state: Mapping[str, Any] | None) -> "Lane":
        """One lane, from a turn of its own on."""
        return Lane(self, lane, turn, state["spares"] if state else 0)

    def draws(self, lane: int, turn: int) -> Iterator[Row]:
        """The rows that a lane draws, from a turn of its own on, without end."""
        cursor, lanes, count = Cursor(self.rows), self.lanes, self.count
        while True:
            epoch = (turn * lanes + lane) // count
            begin, end = (-(-(e * count - lane) // lanes) for e in (epoch, epoch + 1))  # the lane's turns in the epoch
            start = _turns_before(lane, (epoch + 1) * count, lanes) - _turns_before(lane, epoch * count, lanes)
            order = self.order(epoch)[start : start + end - begin]
            for block in range((turn - begin) // self.rows.block * self.rows.block, len(order), self.rows.block):
                rows = [cursor.row(number) for number in order[block : block + self.rows.block]]
                random.Random(f"{self.seed}/{lane}/{epoch}/{block}").shuffle(rows)
                yield from rows[max(0, turn - begin - block) :]
            turn = end

    def spares(self, lane: int, used: int) -> Iterator[Row]:
        """The rows that a lane takes in place of others, after so many of them, without end."""
        cursor = Cursor(self.rows)
        for place in itertools.count(lane * self.count // self.lanes + used):
            lap, index = divmod(place, self.count)
            yield cursor.row(self.order(-1 - lap)[index])

    def order(self, epoch: int) -> Numbers:
        """The numbers of the rows of an epoch, (count,): pieces in random order, their rows in their own.

        Before the first one, the epochs are laps of the spare rows, which all have the same order: lanes that begin at
        other places of it then take each row equally often.
        """
        if epoch not in self.orders:
            while len(self.orders) >= _ORDERS:
                del self.orders[next(iter(self.orders))]
            self.orders[epoch] = self._new_order(epoch)
        return self.orders[epoch]

    def _new_order(self, epoch: int) -> Numbers:
        numbers = np.sort(self._chosen(epoch)) if self.by_source else self.rows.numbers
        pieces = np.searchsorted(self.rows.ends, numbers, side="right")
        rank = np.random.default_rng([self.seed, 1, max(0, epoch + 1)]).permutation(len(self.rows.ends))
        return numbers[np.argsort(rank[pieces], kind="stable")]

    def _chosen(self, epoch: int) -> Numbers:
        """The rows that an epoch uses: of each source the next ones, round and round."""
        pairs = zip(self.by_source or (), self.used, strict=True)
        return np.concatenate([own[(np.arange(used) + epoch * used) % len(own)] for own, used in pairs])


class Lane:
    """One lane of a `Sampler`.

    Attributes:
        patience: Rows in a row that cannot be used after which there is none that can.
    """

    def __init__(self, sampler: Sampler, lane: int, turn: int, used: int) -> None:
        self.draws, self.spares = sampler.draws(lane, turn), sampler.spares(lane, used)
        self.used, self.patience = used, 2 * sampler.rows.count

    def row(self) -> Row:
        """The next row; see `Rows.read_piece` for what it raises."""
        return next(self.draws)

    def spare(self) -> Row:
        """A row in place of one that cannot be used."""
        self.used += 1
        return next(self.spares)

    def state(self) -> LaneState:
        """Where it resumes, beside its turn."""
        return {"spares": self.used}


def shuffled(rows: Rows, seed: int) -> Iterator[Row]:
    """Every row once, in random order as far as reading piece by piece allows it."""
    return itertools.islice(Sampler(rows, 1, seed).draws(0, 0), rows.count)


def _by_source(rows: Rows, rng: np.random.Generator) -> list[Numbers]:
    """The rows of each source, in random order."""
    names, sources = np.unique(rows.sources()[rows.numbers], return_inverse=True)
    return [rng.permutation(rows.numbers[sources == source]) for source in range(len(names))]


def _turns_before(lane: int, draws: int, lanes: int) -> int:
    """How many of the first draws of a run belong to lanes before one."""
    return draws // lanes * lane + min(draws % lanes, lane)
