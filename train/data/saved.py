"""Data sets that were written by `save_to_disk` of the package `datasets`."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import datasets
import numpy as np
from numpy.typing import NDArray

from train.data.parquet import SOURCE
from train.data.rows import Row, Rows, cell_name, from_cell
from train.data.splits import TRAIN


def is_saved(folder: Path) -> bool:
    """Whether a folder is what `save_to_disk` writes, of one split or of several."""
    one = (folder / "state.json").is_file() and (folder / "dataset_info.json").is_file()
    return one or (folder / "dataset_dict.json").is_file()


def saved_splits(folder: Path) -> dict[str, datasets.Dataset]:
    """Open every split, mapped into memory.

    Raises:
        ValueError: If its files are damaged.
    """
    try:
        saved = datasets.load_from_disk(str(folder))
    except Exception as error:  # damaged JSON or Arrow files may raise anything at all
        raise ValueError(f"{folder} is no whole folder of `save_to_disk` ({error}): write it again") from error
    if isinstance(saved, datasets.Dataset):
        return {str(saved.split or TRAIN): saved}
    return {str(split): part for split, part in saved.items()}


class SavedRows(Rows):
    """Rows of one split; each is a piece."""

    def __init__(self, name: str, folder: Path, saved: datasets.Dataset, column: str) -> None:
        """Take the columns that are needed.

        Raises:
            ValueError: If there is no such column.
        """
        if column not in saved.column_names:
            raise ValueError(
                f"{folder} has no column {column!r}, only {', '.join(saved.column_names)}: choose with --image-column"
            )
        super().__init__(name, np.ones(len(saved), dtype=np.int64))
        self.folder, self.column, self.has_source = folder, column, SOURCE in saved.column_names
        saved = saved.select_columns([column, SOURCE] if self.has_source else [column])
        if isinstance(saved.features[column], datasets.Image):
            saved = saved.cast_column(column, datasets.Image(decode=False))
        self.saved = saved

    def read_piece(self, piece: int) -> Iterator[Row]:
        """See `Rows.read_piece`."""
        cells = self.saved[piece]
        cell = cells[self.column]
        name = cell_name(cell, "", piece)
        yield Row(name, str(cells.get(SOURCE) or self.name), from_cell(cell, self.folder))

    def sources(self) -> NDArray[np.str_]:
        """The column `source`."""
        if not self.has_source:
            raise ValueError(f"{self.folder} has no column {SOURCE!r}, only {', '.join(self.saved.column_names)}")
        return np.array([str(source or self.name) for source in self.saved[SOURCE]])

    def keys(self) -> Sequence[str]:
        """Their numbers."""
        return [str(number) for number in range(len(self.saved))]

    def facts(self) -> Iterator[str]:
        """Names and sizes of the files."""
        for file in self.saved.cache_files:
            path = Path(file["filename"])
            yield f"{path.name} {path.stat().st_size}"
