"""Training data: the rows that a run learns from, and the photographs that it is measured on."""

import io
import itertools
import os
import statistics
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from PIL import Image

from colorization.decode import DecodeError
from train.config import DataOptions, ValidationOptions
from train.data.dataset import AnyRows, Dataset, is_local, open_dataset, open_stream

_LOOKED_AT = 16  # pictures, whose size stands for all


class TrainingData(NamedTuple):
    """What a run learns from."""

    dataset: Dataset
    place: str
    """Of the data set, the same however it is written: an absolute path, or the Hub's id."""
    rows: AnyRows
    held_out: AnyRows | None
    """Rows of the same split that are for validation instead, where there is no split for it."""

    def lines(self, options: DataOptions, validation: ValidationOptions, resolution: int) -> Iterator[str]:
        """What was found, for the log."""
        total = f"{self.rows.count:,}" if self.rows.count else "an unknown number of"
        yield f"data: {total} pictures in {options.dataset}, {options.train_split}"
        yield from self.dataset.listing.lines()
        if self.held_out is not None:
            held = f"{self.held_out.count:,}" if self.held_out.count else f"{validation.validation_share:.1%}"
            yield (
                f"there is no split {validation.validation_split!r}: {held} of the pictures are held out for "
                "validation, by their hash (--validation-share)"
            )
        sides = _short_sides(self.rows)
        if sides and (side := statistics.median(sides)) < resolution:
            yield (
                f"the pictures have a short side of {side:g} px (median of the first {len(sides)}), so --resolution "
                f"{resolution} enlarges them: it takes longer and shows no more details"
            )


def _short_sides(rows: AnyRows) -> list[int]:
    """The short sides of the first pictures that can be opened, in pixels."""
    sides = []
    for row in itertools.islice(rows, _LOOKED_AT):
        with suppress(DecodeError, OSError, SyntaxError), Image.open(io.BytesIO(row.encoded())) as picture:
            sides.append(min(picture.size))  # of the header: nothing is decoded
    return sides


def training_data(options: DataOptions, validation: ValidationOptions) -> TrainingData:
    """Open what a run learns from.

    Raises:
        ValueError: If there is no such data set, split or column, or a file of it is damaged.
        OSError: If it cannot be read.
    """
    dataset = open_dataset(
        options.dataset, options.image_column, config=options.dataset_config, revision=options.dataset_revision
    )
    rows: AnyRows = dataset.rows(options.train_split)
    inside: AnyRows | None = None
    share = 0.0 if validation.validation_dataset else validation.validation_share
    if share and validation.validation_split not in dataset.splits:
        rows, inside = rows.held_out(share)
    if options.max_train_samples:
        rows = rows.first(options.max_train_samples)
    place = os.path.abspath(options.dataset) if is_local(options.dataset) else options.dataset  # noqa: PTH100 - not links
    return TrainingData(dataset, place, rows, inside)


class ValidationSource(NamedTuple):
    """Where the photographs come from that a run is measured on."""

    dataset: str
    config: str | None
    revision: str | None
    split: str
    column: str
    share: float
    """Of the split, what training holds out; 0 is all of a split that is not trained on."""

    def rows(self) -> AnyRows:
        """Open them.

        Raises:
            ValueError: If there are none.
            OSError: If they cannot be read.
        """
        rows = open_stream(self.dataset, self.split, self.column, config=self.config, revision=self.revision)
        return rows.held_out(self.share)[1] if self.share else rows


def validation_source(data: TrainingData, options: DataOptions, validation: ValidationOptions) -> ValidationSource:
    """What a run is measured on: --validation-dataset, the split for it, or what training holds out."""
    column = validation.validation_image_column or options.image_column
    if validation.validation_dataset:
        return ValidationSource(validation.validation_dataset, None, None, validation.validation_split, column, 0.0)
    held_out = data.held_out is not None
    return ValidationSource(
        options.dataset,
        options.dataset_config,
        options.dataset_revision,
        options.train_split if held_out else validation.validation_split,
        column,
        validation.validation_share if held_out else 0.0,
    )
